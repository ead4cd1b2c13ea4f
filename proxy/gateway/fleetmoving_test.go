package gateway

import (
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/fault"
	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws"
	"portico/proxy/icws/icwssim"
	"portico/proxy/upstream"
	"portico/translate/htccapi"
)

// A pair is an agent at two replicas, of which the first reads for them.
type pair struct {
	a, b     *world
	atA, atB *Agent
}

// pairs are how an agent comes to the second replica, and where an application reads once the host is dead.
var pairs = map[string]struct {
	cookie bool // so that the second replica knows no password
	polls  func(pair) map[*world]*Agent
}{
	"read at both":                         {false, pair.both},
	"read at both, the other by cookie":    {true, pair.both},
	"read where the reader is":             {false, pair.first},
	"read at the other replica":            {false, pair.second},
	"read at the other replica, by cookie": {true, pair.second},
	"read at none":                         {false, pair.none},
}

func (p pair) both() map[*world]*Agent   { return map[*world]*Agent{p.a: p.atA, p.b: p.atB} }
func (p pair) first() map[*world]*Agent  { return map[*world]*Agent{p.a: p.atA} }
func (p pair) second() map[*world]*Agent { return map[*world]*Agent{p.b: p.atB} }
func (p pair) none() map[*world]*Agent   { return nil }

// newPair logs an agent in at the first replica, and has them come to the second.
func newPair(t *testing.T, a, b *world, name string, cookie bool) pair {
	t.Helper()
	p := pair{a: a, b: b, atA: a.login(name)}
	settle()
	if cookie {
		p.atB = b.cookie(p.atA.SessionID())
	} else {
		p.atB = b.login(name)
	}
	settle()
	p.atA.expectReads(t, "at the first replica", true)
	p.atB.expectReads(t, "at the second", false)
	return p
}

// goOn has applications read for some time.
func (p pair) goOn(polls map[*world]*Agent, long, every time.Duration) {
	for range long / every {
		time.Sleep(every)
		for w, agent := range polls {
			go func() { _, _ = w.Me(w.t.Context(), agent, nil) }()
		}
	}
}

// TestAFleetMovesASessionOnce has the host of an agent die whom two replicas know.
func TestAFleetMovesASessionOnce(t *testing.T) {
	for name, at := range pairs {
		for watch, mode := range modes {
			for _, every := range rhythms {
				t.Run(name+", "+watch+", "+every.String(), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						fleet := newShared()
						switches, hosts := twoHosts(fleet.sim, production)
						a, _ := fleet.replica(t, mode, hosts)
						b, _ := fleet.replica(t, mode, hosts)
						anna := newPair(t, a, b, "anna", at.cookie)
						a.do(anna.atA, htccapi.Ready, "")
						time.Sleep(2 * time.Second)
						services := switches.asked(ic1) - 1
						switches.turn(ic1, false)
						anna.goOn(at.polls(anna), time.Minute, every)
						anna.goOn(anna.both(), 2*upstream.LongAbsence, time.Second) // where nobody read the host is still to be found dead
						a.expect(anna.atA, "at the first replica", showsNotReady)
						b.expect(anna.atB, "at the second", showsNotReady)
						if got := switches.asked(ic2) - services; got != 1 {
							t.Errorf("%d log-ins of the agent at the other host; want 1", got)
						}
						a.do(anna.atA, "AtLunch", "")
						time.Sleep(time.Second)
						b.expect(anna.atB, "after a write at the first", "voice:NotReadyAt Lunch email:NotReadyAt Lunch Active dnd:Off")
						if one, other := anna.atA.icws().connection(), anna.atB.icws().connection(); one.SessionID != other.SessionID {
							t.Errorf("the replicas have sessions %s and %s", one.SessionID, other.SessionID)
						}
						anna.isRead()
						time.Sleep(10 * time.Minute)
						a.sessions("anna", 1)
					})
				})
			}
		}
	}
}

// TestAReaderFollowsACallThatWentAlong has the other replica move the agent, and a call take the new session where the
// reader is, before that finds out itself: from then on answers come from the other host.
func TestAReaderFollowsACallThatWentAlong(t *testing.T) {
	for _, watch := range []string{"each for itself", "shared", "service"} { // of those who have a stream
		t.Run(watch, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fleet := newShared()
				switches, hosts := twoHosts(fleet.sim, upstream.Limits{})
				a, _ := fleet.replica(t, modes[watch], hosts)
				b, _ := fleet.replica(t, modes[watch], hosts)
				anna := newPair(t, a, b, "anna", false)
				a.do(anna.atA, htccapi.Ready, "")
				time.Sleep(2 * time.Second)
				switches.turn(ic1, false)
				anna.goOn(anna.second(), upstream.LongAbsence+500*time.Millisecond, 250*time.Millisecond)
				anna.goOn(anna.first(), 10*time.Second, 250*time.Millisecond)
				anna.isRead()
			})
		})
	}
}

// isRead checks that the reader is told what the site tells now.
func (p pair) isRead() {
	p.a.t.Helper()
	synctest.Wait() // reads under way
	before := p.a.sim.Calls()[routeGetStatus]
	p.a.set(icwssim.StateChange{User: p.atA.Login(), StatusID: ptr("Available")})
	time.Sleep(time.Second)
	p.a.expect(p.atA, "after a change at the site", showsReady)
	if n := p.a.sim.Calls()[routeGetStatus] - before; n != 0 {
		p.a.t.Errorf("%d reads of the status; want none: the reader is at the other host", n)
	}
}

// TestAFleetMovesAnHTCCSessionOnce is the same of an agent of HTCC.
func TestAFleetMovesAnHTCCSessionOnce(t *testing.T) {
	for name, at := range pairs {
		for _, every := range rhythms {
			t.Run(name+", "+every.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					fleet, cloud := newShared(), &htccsim.Server{}
					t.Cleanup(cloud.Close)
					switches, clouds := twoClouds(cloud, production)
					a, _ := fleet.replica(t, clouds)
					b, _ := fleet.replica(t, clouds)
					bjorn := newPair(t, a, b, "bjorn", at.cookie)
					before := a.shows(bjorn.atA)
					switches.turn(gws1, false)
					bjorn.goOn(at.polls(bjorn), time.Minute, every)
					bjorn.goOn(bjorn.both(), 2*upstream.LongAbsence, time.Second)
					a.expect(bjorn.atA, "at the first replica", before)
					b.expect(bjorn.atB, "at the second", before)
					if got := switches.asked(gws2); got != 1 {
						t.Errorf("%d log-ins at the other host; want 1", got)
					}
				})
			})
		}
	}
}

// TestWhatOneHostDidSaysNothingOfTheNext has a replica that found a host away learn of the upstream session that another
// opened elsewhere, while a call of the old one is still under way there.
func TestWhatOneHostDidSaysNothingOfTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		_, hosts := twoHosts(fleet.sim, production)
		a, _ := fleet.replica(t, beating, hosts)
		b, _ := fleet.replica(t, beating, hosts)
		anna := newPair(t, a, b, "anna", false)
		part := anna.atB.icws()
		old := part.connection()
		part.called(old, fault.Unreachable)
		time.Sleep(upstream.LongAbsence)
		if !part.shouldMove() {
			t.Fatal("a host that was away for long is not left")
		}
		next, err := part.site.ICWS.Login(t.Context(), icws.Credentials{UserID: "anna", Password: "anna", Language: "en-us"})
		if err != nil {
			t.Fatal(err)
		}
		if !part.goOn(encoded(next)) || part.shouldMove() {
			t.Error("the next session is not gone on with, or its host is left for what the one before did")
		}
		part.called(old, fault.Unreachable)
		time.Sleep(upstream.LongAbsence)
		if part.shouldMove() {
			t.Error("the next session's host is left for what a call of the one before came to")
		}
	})
}
