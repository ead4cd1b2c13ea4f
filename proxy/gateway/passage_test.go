package gateway

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/fault"
	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
)

// TestASessionIsInUseWhileSomethingIsPassedThrough lets nothing else be done in it.
func TestASessionIsInUseWhileSomethingIsPassedThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newUnion(t, &icwssim.Server{}, &htccsim.Server{}, func(s *Settings, _ *Site) { s.Idle = time.Minute })
		bjorn := w.login("bjorn")
		_, overEarly := w.PassThrough(bjorn).Begin(t.Context())
		_, overLate := w.PassThrough(bjorn).Begin(t.Context())
		time.Sleep(10 * time.Minute)
		overEarly()
		time.Sleep(10*time.Minute + time.Second) // between two looks
		overLate()
		time.Sleep(time.Minute - time.Second)
		if bjorn.life.Err() != nil {
			t.Fatal("the session ended before it was idle")
		}
		time.Sleep(time.Second + sweepEvery)
		_, err := w.Login(t.Context(), Caller{SessionID: bjorn.SessionID()})
		if !errors.Is(err, fault.Unauthenticated) {
			t.Errorf("an idle session answered %v; want %v", err, fault.Unauthenticated)
		}
	})
}

// TestASessionIsInUseAtTheReplicaThatPassesSomethingThrough does so at one of two.
func TestASessionIsInUseAtTheReplicaThatPassesSomethingThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, _ := fleet.replica(t)
		b, _ := fleet.replica(t)
		id := a.login("anna").SessionID()
		anna := b.cookie(id)
		ctx, over := (&Passage{part: &htccPart{agent: anna}}).Begin(t.Context())
		defer over()
		time.Sleep(2 * time.Hour)
		if len(a.all()) != 0 || len(b.all()) != 1 || ctx.Err() != nil {
			t.Errorf("%d agents where the session is not used, %d where something is passed through (%v); want 0 and 1", len(a.all()), len(b.all()), ctx.Err())
		}
		if a.cookie(id).life.Err() != nil {
			t.Error("the session has ended")
		}
	})
}
