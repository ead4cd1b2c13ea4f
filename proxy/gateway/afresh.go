package gateway

import (
	"context"
	"strconv"
	"sync"

	"golang.org/x/sync/singleflight"
)

// afresh makes a read, again and again, for all who ask. The answer may be on its way already when
// something changes that a caller has done elsewhere: who asks while a read is under way waits for the next
// one, with all others who do. Of one that fails they have the failure. Any number of goroutines may use it.
// Its zero value is ready.
type afresh struct {
	flights singleflight.Group
	turn    slot

	mu    sync.Mutex
	begun int   // reads so far, guarded by mu
	last  error // of the last that is over, guarded by mu
}

// do makes a read that begins after the call does, until life ends.
func (a *afresh) do(ctx, life context.Context, read func(context.Context) error) error {
	a.mu.Lock()
	next := a.begun
	a.mu.Unlock()
	_, err := once(ctx, &a.flights, life, strconv.Itoa(next), func(ctx context.Context) (struct{}, error) {
		return struct{}{}, a.inTurn(ctx, read)
	})
	return err
}

func (a *afresh) inTurn(ctx context.Context, read func(context.Context) error) error {
	turn := a.turn.channel()
	waited := len(turn) > 0
	release, err := hold(ctx, turn)
	if err != nil {
		return err
	}
	defer release()
	a.mu.Lock()
	a.begun++
	failed := a.last
	a.mu.Unlock()
	if waited && failed != nil {
		return failed
	}
	err = read(ctx)
	a.mu.Lock()
	a.last = err
	a.mu.Unlock()
	return err
}
