package gateway

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/fault"
	"portico/proxy/session"
)

// A pausedLine is a cable whose answers about sessions, once read, wait until it is let go on.
type pausedLine struct {
	*cable
	goesOn chan struct{} // nil while nothing waits
}

func (p *pausedLine) Get(ctx context.Context, id string) (session.Session, error) {
	s, err := p.cable.Get(ctx, id)
	p.pause()
	return s, err
}

func (p *pausedLine) ByLogin(ctx context.Context, login string) (session.Session, error) {
	s, err := p.cable.ByLogin(ctx, login)
	p.pause()
	return s, err
}

func (p *pausedLine) pause() {
	waits := p.goesOn
	p.goesOn = nil
	if waits != nil {
		<-waits
	}
}

// TestWhoAskedTheStoreBeforeAnEndTakesNothingUp has a request read the session from the store just before it is ended at the
// same replica, with the store there all the time and away when it ends.
func TestWhoAskedTheStoreBeforeAnEndTakesNothingUp(t *testing.T) {
	for _, away := range []bool{false, true} {
		t.Run(fmt.Sprintf("away=%v", away), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fleet := newShared()
				join, line := fleet.join()
				paused := &pausedLine{cable: line}
				w := newWorld(t, fleet.sim, join, func(s *Settings, _ *Site) { s.Store = paused })
				anna := w.login("anna")
				settle()
				line.cut.Store(away)
				w.end(anna, endByAgent)
				line.cut.Store(false)
				if !away { // as the request found it
					_, err := fleet.store.Create(t.Context(), anna.session, time.Hour)
					if err != nil {
						t.Fatal(err)
					}
				}
				goesOn, denied := make(chan struct{}), make(chan error)
				paused.goesOn = goesOn
				go func() {
					_, err := w.Login(t.Context(), Caller{SessionID: anna.SessionID()})
					denied <- err
				}()
				synctest.Wait()
				if !away {
					_ = fleet.store.Delete(t.Context(), anna.SessionID())
				}
				time.Sleep(time.Second) // the store is told
				close(goesOn)
				err := <-denied
				if !errors.Is(err, fault.Unauthenticated) {
					t.Errorf("a request that had asked before the end was told %v; want %v", err, fault.Unauthenticated)
				}
			})
		})
	}
}
