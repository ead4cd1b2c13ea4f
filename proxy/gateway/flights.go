package gateway

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/singleflight"

	"portico/proxy/fault"
	"portico/proxy/tracing"
	"portico/proxy/upstream"
)

// once runs one read for all who ask for it together, until life ends. It goes on when one of them
// leaves.
func once[T any](ctx context.Context, flights *singleflight.Group, life context.Context, name string, read func(context.Context) (T, error)) (T, error) {
	flight := flights.DoChan(name, func() (any, error) {
		ctx, cancel := context.WithTimeout(upstream.WithCause(tracing.Follow(life, ctx), upstream.CauseOf(ctx)), readTimeout)
		defer cancel()
		return fault.Guarded(func() (any, error) { return read(ctx) })
	})
	var none T
	select {
	case landed := <-flight:
		if landed.Err != nil {
			return none, landed.Err
		}
		return landed.Val.(T), nil
	case <-ctx.Done():
		return none, fmt.Errorf("gateway: read the agent's state: %w: %w", fault.Timeout, ctx.Err())
	}
}

// readOf names a read of a part among those of all agents, who share one singleflight.Group: one for each would
// keep 250 bytes for a map that is nearly always empty. The part lives as long as a read of it, so nothing else
// has its address.
func readOf(p part, name string) string { return fmt.Sprintf("%p %s", p, name) }

// sideBySide calls do for 0 to n-1, each in a goroutine, and returns when all have come back. A panic
// of one becomes one of the caller's, who has somebody to catch it. One alone needs no goroutine, whose stack
// has to grow first.
func sideBySide(n int, do func(i int)) {
	if n == 1 {
		do(0)
		return
	}
	var work sync.WaitGroup
	panics := make([]error, n)
	for i := range n {
		work.Go(func() {
			_, panics[i] = fault.Guarded(func() (struct{}, error) { do(i); return struct{}{}, nil })
		})
	}
	work.Wait()
	err := firstOr(panics, nil)
	if err != nil {
		panic(err)
	}
}

func firstOr(errs []error, otherwise error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return otherwise
}
