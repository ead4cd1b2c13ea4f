package gateway

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/fault"
	"portico/proxy/icws/icwssim"
	"portico/translate/htccapi"
)

const routeLogin = "POST /icws/connection"

// logins returns how often the site was asked to log somebody in.
func (w *world) logins() int { return w.sim.Calls()[routeLogin] }

func TestOneLoginForManyCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		ids := make(chan string, 50)
		var callers sync.WaitGroup
		for range cap(ids) {
			callers.Go(func() { ids <- w.login("anna").SessionID() })
		}
		callers.Wait()
		close(ids)
		first := <-ids
		for id := range ids {
			if id != first {
				t.Errorf("two callers have different sessions")
			}
		}
		_, err := w.Login(t.Context(), Caller{Basic: true, Login: "ANNA", Password: "anna"})
		if err != nil {
			t.Errorf("the name in capitals: %v", err)
		}
		if got := w.logins(); got != 1 {
			t.Errorf("%d log-ins at the site; want 1", got)
		}
	})
}

func TestPasswords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := &icwssim.Server{Users: icwssim.StockUsers()}
		w := newWorld(t, sim)
		anna := w.login("anna")
		refused := func(what string, c Caller) {
			t.Helper()
			_, err := w.Login(t.Context(), c)
			if !errors.Is(err, fault.Unauthenticated) {
				t.Errorf("%s: %v; want %v", what, err, fault.Unauthenticated)
			}
		}
		refused("no credentials", Caller{})
		refused("an unknown cookie", Caller{SessionID: "x"})
		refused("no password", Caller{Basic: true, Login: "anna"})
		refused("a name without a route", Caller{Basic: true, Login: "nobody", Password: "x"})
		refused("a wrong password beside a live session", Caller{Basic: true, Login: "anna", Password: "wrong"})
		asked := w.logins()
		refused("the same wrong password again", Caller{Basic: true, Login: "anna", Password: "wrong"})
		if got := w.logins(); got != asked {
			t.Errorf("a password refused a moment ago was sent again: %d log-ins; want %d", got, asked)
		}
		time.Sleep(refusedFor + time.Second)
		refused("the same wrong password later", Caller{Basic: true, Login: "anna", Password: "wrong"})
		if got := w.logins(); got != asked+1 {
			t.Errorf("%d log-ins after the memory of a refusal; want %d", got, asked+1)
		}
		same, err := w.Login(t.Context(), Caller{SessionID: anna.SessionID()})
		if err != nil || same != anna {
			t.Errorf("the session did not live through wrong passwords: %v", err)
		}
		cleo := w.login("cleo")
		beats, err := w.Login(t.Context(), Caller{SessionID: anna.SessionID(), Basic: true, Login: "cleo", Password: "cleo"})
		if err != nil || beats != cleo {
			t.Errorf("a name and password did not beat the cookie of another agent: %v", err)
		}
	})
}

func TestIdleSessionsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{}, func(s *Settings, _ *Site) { s.Idle = time.Minute })
		anna := w.login("anna")
		time.Sleep(50 * time.Second)
		_, err := w.Login(t.Context(), Caller{SessionID: anna.SessionID()})
		if err != nil {
			t.Fatalf("a session in use ended: %v", err)
		}
		time.Sleep(2 * time.Minute)
		_, err = w.Login(t.Context(), Caller{SessionID: anna.SessionID()})
		if !errors.Is(err, fault.Unauthenticated) {
			t.Errorf("an idle session answered %v; want %v", err, fault.Unauthenticated)
		}
		state, err := w.sim.State("anna")
		if err != nil || state.Sessions != 0 {
			t.Errorf("%d sessions are left at the site (%v); want 0", state.Sessions, err)
		}
	})
}

func TestEndContactCenterSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		anna := w.login("anna")
		w.do(anna, htccapi.Ready, "")
		err := w.EndContactCenterSession(t.Context(), anna)
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.Login(t.Context(), Caller{SessionID: anna.SessionID()})
		if !errors.Is(err, fault.Unauthenticated) {
			t.Errorf("the ended session answers %v; want %v", err, fault.Unauthenticated)
		}
		time.Sleep(time.Second)
		w.holds("anna", "Available, No ACD")
		state, err := w.sim.State("anna")
		if err != nil || state.Sessions != 0 {
			t.Errorf("%d sessions are left at the site (%v); want 0", state.Sessions, err)
		}
		w.login("anna") // who logs out may come back at once
	})
}

func TestAnUnreachableSiteRefusesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		for _, f := range []struct {
			fault icwssim.Fault
			want  fault.Kind
		}{
			{icwssim.Fault{Route: routeLogin, Status: 500, Times: 1}, fault.BadUpstream},
			{icwssim.Fault{Scenario: "garbage", Route: routeLogin, Times: 1}, fault.BadUpstream},
			{icwssim.Fault{Scenario: "hang", Route: routeLogin, Times: 1}, fault.Timeout},
		} {
			err := w.sim.Fault(f.fault)
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.Login(t.Context(), Caller{Basic: true, Login: "anna", Password: "anna"})
			if !errors.Is(err, f.want) {
				t.Errorf("%+v: %v; want %v", f.fault, err, f.want)
			}
			w.sim.Reset()
		}
		w.login("anna")
	})
}
