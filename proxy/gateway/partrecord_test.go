package gateway

import (
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/translate/htccapi"
)

// offAtPureConnect is cleo whom PureConnect logged off, in each replica of a fleet.
const offAtPureConnect = "voice:LoggedOut chat:NotReady email:NotReady Inactive dnd:Off"

// TestAReplicaThatDoesNotReadLogsNobodyInAgainWhomTheSiteLoggedOff asks at another replica before and after the one
// that reads knows of it, and at one that has not heard of cleo.
func TestAReplicaThatDoesNotReadLogsNobodyInAgainWhomTheSiteLoggedOff(t *testing.T) {
	for name, wait := range map[string]time.Duration{"at once": 0, "a second later": time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fleet, cloud, a, b := twoTellers(t)
				atA := a.login("cleo")
				a.posted(atA, "", startAll)
				settle()
				atA.expectReads(t, "after the log-in", true)
				b.expect(b.login("cleo"), "before", "voice:NotReady chat:NotReady email:NotReady Active dnd:Off")
				a.fault(icwssim.Fault{Scenario: "force-logoff", User: "cleo"})
				time.Sleep(wait)
				b.expect(b.cookie(atA.SessionID()), "logged off, at the other replica", offAtPureConnect)
				time.Sleep(time.Second)
				a.expect(a.cookie(atA.SessionID()), "logged off", offAtPureConnect)
				c, _ := fleet.teller(t, cloud)
				c.expect(c.cookie(atA.SessionID()), "logged off, at a new replica", offAtPureConnect)
				if got, want := c.features(c.cookie(atA.SessionID())), a.features(atA); got != want {
					t.Errorf("features at a new replica = %s; want %s", got, want)
				}
				settle()
				b.expect(b.cookie(atA.SessionID()), "later, at the other replica", offAtPureConnect)
				a.sessions("cleo", 0)
			})
		})
	}
}

// features returns the names of an agent's features.
func (w *world) features(a *Agent) (names string) {
	w.t.Helper()
	me, err := w.Me(w.t.Context(), a, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, feature := range me.Features {
		names += feature.ID + " "
	}
	return names
}

// TestAPartThatBeganAgainGoesOnAtAllReplicas has cleo start and go Ready at another replica after PureConnect logged
// them off.
func TestAPartThatBeganAgainGoesOnAtAllReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, a, b := twoTellers(t)
		atA := a.login("cleo")
		a.posted(atA, "", startAll)
		settle()
		a.fault(icwssim.Fault{Scenario: "force-logoff", User: "cleo"})
		settle()
		atB := b.login("cleo")
		b.posted(atB, "", startAll)
		b.posted(atB, "", `{"operationName":"Ready"}`)
		const ready = "voice:Ready chat:Ready email:Ready Active dnd:Off"
		a.expect(a.cookie(atA.SessionID()), "Ready at the other replica", ready)
		settle()
		a.expect(a.cookie(atA.SessionID()), "later", ready)
		b.expect(b.cookie(atA.SessionID()), "later, at the other replica", ready)
		a.holds("cleo", "Available")
		a.sessions("cleo", 1)
		reads := a.sim.Calls()[routeGetStatus]
		a.set(icwssim.StateChange{User: "cleo", StatusID: ptr("At Lunch")})
		time.Sleep(time.Second)
		a.expect(a.cookie(atA.SessionID()), "a change afterwards", "voice:NotReadyAt Lunch chat:Ready email:Ready Active dnd:Off")
		if n := a.sim.Calls()[routeGetStatus] - reads; n != 0 {
			t.Errorf("%d reads of the status; want none: the reader is back", n)
		}
		a.posted(a.cookie(atA.SessionID()), htccapi.Voice, `{"operationName":"Ready"}`)
		b.expect(b.cookie(atA.SessionID()), "Ready again", ready)
	})
}

// TestAPartOfHTCCThatEndedHasEndedAtAllReplicas has HTCC's session lost while no password is kept, and cleo start again
// with theirs at another replica.
func TestAPartOfHTCCThatEndedHasEndedAtAllReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet, cloud := newShared(), &htccsim.Server{}
		forgetful := func() *world {
			join, _ := fleet.join()
			return newUnion(t, fleet.sim, cloud, join, func(s *Settings, _ *Site) { s.Forget = true })
		}
		a, b := forgetful(), forgetful()
		atA := a.login("cleo")
		a.started(atA, "")
		a.posted(atA, "", `{"operationName":"NotReady"}`)
		settle()
		b.cookie(atA.SessionID())
		a.faultCloud(cloud, htccsim.Fault{Scenario: "expire-session", User: "cleo"})
		time.Sleep(time.Minute)
		const ended = "voice:NotReady chat:LoggedOut email:LoggedOut Active dnd:Off"
		a.expect(a.cookie(atA.SessionID()), "ended", ended)
		b.expect(b.cookie(atA.SessionID()), "ended, at the other replica", ended)
		if got := b.started(b.cookie(atA.SessionID()), "cleo"); got != "+voice +chat +email" {
			t.Errorf("Start with a password = %s; want all channels", got)
		}
		const started = "voice:NotReady chat:NotReady email:NotReady Active dnd:Off"
		a.expect(a.cookie(atA.SessionID()), "started at the other replica", started)
		settle()
		b.expect(b.cookie(atA.SessionID()), "later, at the other replica", started)
	})
}

// TestAPartThatBeganAgainGoesOnWhereTheReaderTries has HTCC refuse cleo's password for a while, and her start again at
// another replica: the reader finds the session of that one before it has learnt of it otherwise.
func TestAPartThatBeganAgainGoesOnWhereTheReaderTries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cloud, a, b := twoTellers(t)
		p := newPair(t, a, b, "cleo", false)
		a.working(p.atA)
		a.faultCloud(cloud, htccsim.Fault{Status: 403, Route: routeHTCCLogin})
		a.faultCloud(cloud, htccsim.Fault{Scenario: "expire-session", User: "cleo"})
		time.Sleep(refusedFor + time.Minute)
		const ended = "voice:Ready chat:LoggedOut email:LoggedOut Active dnd:Off"
		a.expect(p.atA, "ended", ended)
		b.expect(p.atB, "ended, at the other replica", ended)
		cloud.Reset()
		if got := b.started(p.atB, ""); got != "+voice +chat +email" {
			t.Fatalf("Start = %s; want all channels", got)
		}
		err := p.atA.atHTCC()[0].refresh(t.Context())
		if err != nil {
			t.Error("the session of the other replica: ", err)
		}
		b.posted(p.atB, "", `{"operationName":"Ready"}`)
		time.Sleep(time.Minute)
		const ready = "voice:Ready chat:Ready email:Ready Active dnd:Off"
		a.expect(p.atA, "Ready", ready)
		b.expect(p.atB, "Ready, at the other replica", ready)
		a.sessionsAtHTCC(cloud, "cleo", 1)
	})
}

// TestAPartBeginsAgainAtNoHostThatTheSiteDoesNotHave has a replica with other settings begin cleo's part again.
func TestAPartBeginsAgainAtNoHostThatTheSiteDoesNotHave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newUnion(t, &icwssim.Server{}, &htccsim.Server{})
		cleo := w.login("cleo")
		w.posted(cleo, "", startAll)
		time.Sleep(time.Second)
		w.fault(icwssim.Fault{Scenario: "force-logoff", User: "cleo"})
		time.Sleep(time.Second)
		p := cleo.icws()
		conn := p.connection()
		conn.Base, conn.Opened = "http://elsewhere.example:8018", time.Now()
		if p.learnRecord(encoded(icwsRecord{Conn: conn})) || !p.ended() {
			t.Error("the part has begun again at a host that the site does not have")
		}
		conn.Base = p.connection().Base
		if !p.learnRecord(encoded(icwsRecord{Conn: conn})) || p.ended() {
			t.Error("the part has not begun again at the site's own host")
		}
	})
}

// TestAnOldSessionTakesNoNewOnesPlace has another replica's cookie change before the session is lost, and is replaced by
// the one that reads.
func TestAnOldSessionTakesNoNewOnesPlace(t *testing.T) {
	for name, wait := range map[string]time.Duration{"asked a second later": time.Second, "asked once it has reported": leaseEvery + time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fleet, cloud := newShared(), &htccsim.Server{}
				sites, line := behindBalancer(t, cloud)
				a, _ := fleet.replica(t, sites)
				b, _ := fleet.replica(t, sites)
				bjorn := newPair(t, a, b, "bjorn", false)
				a.posted(bjorn.atA, "", startTwo)
				settle()
				line.renews.Store(true)
				b.shows(bjorn.atB)
				line.renews.Store(false)
				a.faultCloud(cloud, htccsim.Fault{Scenario: "expire-session", User: "bjorn"})
				time.Sleep(wait)
				b.shows(bjorn.atB)
				time.Sleep(time.Minute)
				a.sessionsAtHTCC(cloud, "bjorn", 1)
				one, other := headOf(bjorn.atA.parts[0].record()), headOf(bjorn.atB.parts[0].record())
				if !one.sameSession(other) {
					t.Errorf("the replicas have sessions of %v and %v; want one", one.Opened, other.Opened)
				}
			})
		})
	}
}

func TestOvertaken(t *testing.T) {
	record := func(opened int, over ending) []byte {
		return encoded(recordHead{Opened: time.Unix(int64(opened), 0), endNote: endNote{over}})
	}
	lost := encoded(recordHead{Opened: time.Unix(1, 0), lossNote: lossNote{true}})
	for name, c := range map[string]struct {
		is, stored, known []byte
		want              bool
	}{
		"the first":                                      {record(1, ""), nil, nil, false},
		"of the same session":                            {record(1, ""), record(1, ""), record(1, ""), false},
		"the same session is over here":                  {record(1, endForced), record(1, ""), record(1, ""), false},
		"the same session is over elsewhere":             {record(1, ""), record(1, endForced), record(1, ""), true},
		"the agent is recovered here":                    {record(1, ""), lost, lost, false},
		"the agent is recovered elsewhere":               {lost, record(1, ""), lost, true},
		"opened here after an outage":                    {lost, record(2, ""), record(2, ""), false},
		"in place of the one that was known":             {record(2, ""), record(1, ""), record(1, ""), false},
		"in place of one that was known to be over":      {record(2, ""), record(1, endForced), record(1, endForced), false},
		"by a clock that is behind":                      {record(1, ""), record(2, ""), record(2, ""), false},
		"another replica opened one since":               {record(1, ""), record(2, ""), record(1, ""), true},
		"over here, and another replica opened one":      {record(1, endForced), record(2, ""), record(1, ""), true},
		"what the store had is not known, as it lost it": {record(2, ""), record(1, ""), nil, false},
	} {
		if got := overtaken(c.is, c.stored, c.known); got != c.want {
			t.Errorf("%s: overtaken = %v; want %v", name, got, c.want)
		}
	}
}
