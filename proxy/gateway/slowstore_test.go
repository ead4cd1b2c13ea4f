package gateway

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/proxy/push"
	"portico/proxy/session"
)

// A longLine is a cable on which each call takes its time, half of it before the store hears of it, and fails after a
// store.timeout of three seconds.
type longLine struct {
	*cable
	takes *atomic.Int64 // a time.Duration
}

func (l longLine) half(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Duration(l.takes.Load()) / 2):
		return nil
	}
}

func over[T any](l longLine, ctx context.Context, call func() (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	var none T
	err := l.half(ctx)
	if err != nil {
		return none, err
	}
	v, err := call()
	late := l.half(ctx)
	if late != nil {
		return none, late
	}
	return v, err
}

func (l longLine) ByLogin(ctx context.Context, login string) (session.Session, error) {
	return over(l, ctx, func() (session.Session, error) { return l.cable.ByLogin(ctx, login) })
}

func (l longLine) Touch(ctx context.Context, id string, life time.Duration) error {
	_, err := over(l, ctx, func() (struct{}, error) { return struct{}{}, l.cable.Touch(ctx, id, life) })
	return err
}

func (l longLine) Update(ctx context.Context, id string, change func(*session.Session)) (session.Session, error) {
	return over(l, ctx, func() (session.Session, error) { return l.cable.Update(ctx, id, change) })
}

func (l longLine) Take(ctx context.Context, name, holder string, life time.Duration) (session.Lease, error) {
	return over(l, ctx, func() (session.Lease, error) { return l.cable.Take(ctx, name, holder, life) })
}

// TestOneReadsWhereTheStoreIsSlow has each call of the replica that reads take nearly as long as it may. No other reads
// beside it, and what changes is told once.
func TestOneReadsWhereTheStoreIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet, cloud := newShared(), &htccsim.Server{}
		join, line := fleet.join()
		slow, journal := longLine{line, &atomic.Int64{}}, fleet.journal.End()
		a := newUnion(t, fleet.sim, cloud, join, func(s *Settings, _ *Site) {
			s.Store, s.Fleet.Leases = slow, slow
			s.Push = push.New(push.Options{TrustClientSession: true, Journal: journal})
		})
		a.sweepPages()
		b, _ := fleet.teller(t, cloud)
		atA := a.login("anna")
		settle()
		atB := b.cookie(atA.SessionID())
		settle()
		desktop := anywhere(atA.SessionID(), inTurn(b))
		time.Sleep(20 * time.Second)
		desktop.heard()
		slow.takes.Store(int64(2900 * time.Millisecond))
		heard := 0
		for n := range 1800 {
			time.Sleep(100 * time.Millisecond)
			atA.use()
			if atA.leased.Load() && atB.leased.Load() {
				t.Fatal("two replicas read")
			}
			if n%600 == 599 {
				a.set(icwssim.StateChange{User: "anna", StatusID: ptr([]string{"At Lunch", "Gone Home"}[n/600%2])})
			}
		}
		time.Sleep(time.Minute)
		for _, one := range desktop.heard() {
			if strings.HasPrefix(one, "device") {
				heard++
			}
		}
		if heard != 3 {
			t.Errorf("three changes were told %d times", heard)
		}
	})
}
