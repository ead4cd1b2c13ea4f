package gateway

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/translate/htccapi"
)

// An operation at another replica offers no work on a channel that the agent did not ask for.
func TestWhatAnAgentAskedForHoldsAtAllReplicas(t *testing.T) {
	for name, test := range map[string]struct{ start, started, ready string }{
		"anna": {`{"operationName":"StartContactCenterSession","channels":["voice"]}`,
			"voice:NotReady email:LoggedOut Active dnd:Off", "voice:Ready email:LoggedOut Active dnd:Off"},
		"cleo": {`{"operationName":"StartContactCenterSession","channels":["voice","chat"]}`,
			"voice:NotReady chat:NotReady email:LoggedOut Active dnd:Off", "voice:Ready chat:Ready email:LoggedOut Active dnd:Off"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fleet, cloud, a, b := twoTellers(t)
				atA := a.login(name)
				settle()
				atB := b.cookie(atA.SessionID()) // knows the agent from before
				b.shows(atB)
				a.posted(atA, "", test.start)
				b.posted(b.cookie(atA.SessionID()), "", `{"operationName":"Ready"}`)
				b.expect(b.cookie(atA.SessionID()), "Ready on all", test.ready)
				settle()
				a.expect(atA, "Ready on all at the other replica", test.ready)
				c, _ := fleet.teller(t, cloud) // knows nothing from before
				c.posted(c.cookie(atA.SessionID()), "", `{"operationName":"NotReady"}`)
				c.expect(c.cookie(atA.SessionID()), "NotReady on all", test.started)
			})
		})
	}
}

func TestDoNotDisturbEndsAtAnotherReplica(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, _ := fleet.replica(t)
		b, _ := fleet.replica(t)
		anna := a.login("anna")
		settle()
		a.do(anna, "Ready", "voice")
		a.do(anna, "DoNotDisturbOn", "")
		time.Sleep(time.Second)
		b.do(b.cookie(anna.SessionID()), "DoNotDisturbOff", "")
		b.expect(b.cookie(anna.SessionID()), "do-not-disturb ended elsewhere", "voice:Ready email:NotReady Active dnd:Off")
	})
}

// TestAStartThatIsOwedIsMadeUpForAtAnyReplica has PureConnect refuse to take the agent from voice, which the Start did
// not ask for, and the agent go Ready elsewhere.
func TestAStartThatIsOwedIsMadeUpForAtAnyReplica(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, a, b := twoTellers(t)
		atA := a.login("cleo")
		a.posted(atA, "", startAll)
		a.posted(atA, "", `{"operationName":"Ready"}`)
		settle()
		a.fault(icwssim.Fault{Route: routePutActivations, Status: 500, Times: 1})
		got, err := a.post(atA, "", startOf("chat email"))
		if err != nil || sides(got) != "+chat +email -voice" {
			t.Errorf("Start = %s, %v; want voice failed", sides(got), err)
		}
		if got := b.posts(b.cookie(atA.SessionID()), `{"operationName":"Ready"}`); got != "+chat +email" {
			t.Errorf("Ready at the other replica = %s; want it without voice", got)
		}
		a.holds("cleo", "Available, No ACD")
		if got := a.posts(atA, `{"operationName":"Ready"}`); got != "+chat +email" {
			t.Errorf("Ready where the Start failed = %s; want it without voice", got)
		}
	})
}

// TestWhatWasAskedForWhileTheStoreWasAwayHolds asks for less at a replica that does not read, shortly after a Start
// elsewhere of which it has not heard, and later.
func TestWhatWasAskedForWhileTheStoreWasAwayHolds(t *testing.T) {
	for name, test := range map[string]struct {
		wait    time.Duration // after the Start
		channel htccapi.MediaChannel
		ask     string
		want    string
	}{
		"a Start, at once":  {0, "", startOf("chat"), "voice:LoggedOut chat:Ready email:LoggedOut Active dnd:Off"},
		"a Start, later":    {10 * time.Second, "", startOf("chat"), "voice:LoggedOut chat:Ready email:LoggedOut Active dnd:Off"},
		"Offline, later":    {10 * time.Second, htccapi.Voice, `{"operationName":"Offline"}`, "voice:LoggedOut chat:Ready email:Ready Active dnd:Off"},
		"Offline, at HTCC":  {10 * time.Second, "email", `{"operationName":"Offline"}`, "voice:Ready chat:Ready email:LoggedOut Active dnd:Off"},
		"nothing, later on": {10 * time.Second, "", `{"operationName":"NotReady"}`, "voice:Ready chat:Ready email:Ready Active dnd:Off"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fleet, cloud := newShared(), &htccsim.Server{}
				a, lineA := fleet.teller(t, cloud)
				b, lineB := fleet.teller(t, cloud)
				atA := a.login("cleo")
				settle()
				atB := b.login("cleo")
				b.shows(atB)
				a.posted(atA, "", startAll)
				time.Sleep(test.wait)
				lineA.cut.Store(true)
				lineB.cut.Store(true)
				b.posted(atB, test.channel, test.ask)
				time.Sleep(3 * time.Second)
				lineA.cut.Store(false)
				lineB.cut.Store(false)
				settle()
				settle()
				a.posts(a.cookie(atA.SessionID()), `{"operationName":"Ready"}`)
				a.expect(a.cookie(atA.SessionID()), "Ready where it is read", test.want)
				b.expect(b.cookie(atA.SessionID()), "the same at the other replica", test.want)
			})
		})
	}
}

// TestTheLaterOfTwoWishesHolds starts all channels at a replica that the store does not answer, and then chat alone at one
// that it answers, again or still, before the first could tell it and after. Chat alone was started before both too.
func TestTheLaterOfTwoWishesHolds(t *testing.T) {
	for name, test := range map[string]struct {
		back  time.Duration // before the second Start
		alone bool          // it is back for the second replica, and not yet for the first
	}{
		"right after the store is back":   {100 * time.Millisecond, false},
		"a while after the store is back": {2 * time.Second, false},
		"while it answers there alone":    {2 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fleet, cloud := newShared(), &htccsim.Server{}
				a, lineA := fleet.teller(t, cloud)
				b, lineB := fleet.teller(t, cloud)
				atA := a.login("cleo")
				settle()
				id := atA.SessionID()
				b.shows(b.login("cleo"))
				a.posted(atA, "", startOf("chat"))
				settle()
				lineA.cut.Store(true)
				lineB.cut.Store(true)
				a.posted(atA, "", startAll)
				time.Sleep(500 * time.Millisecond)
				lineB.cut.Store(false)
				lineA.cut.Store(test.alone)
				time.Sleep(test.back)
				if got := b.posts(b.cookie(id), startOf("chat")); got != "+chat" {
					t.Errorf("the second Start = %s; want +chat", got)
				}
				time.Sleep(time.Second)
				lineA.cut.Store(false)
				settle()
				settle()
				const chat = "voice:LoggedOut chat:Ready email:LoggedOut Active dnd:Off"
				b.posts(b.cookie(id), `{"operationName":"Ready"}`)
				b.expect(b.cookie(id), "Ready where the second Start was", chat)
				settle()
				a.expect(a.cookie(id), "the same where the first was", chat)
			})
		})
	}
}

// TestMakingGoodLeavesALaterWish has the store lose nothing that cleo asked for, and cleo ask for less before her reader
// says once more what it knows.
func TestMakingGoodLeavesALaterWish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet, cloud := newShared(), &htccsim.Server{}
		a, lineA := fleet.teller(t, cloud)
		b, lineB := fleet.teller(t, cloud)
		atA := a.login("cleo")
		a.posted(atA, "", startAll)
		settle()
		b.shows(b.cookie(atA.SessionID()))
		lineB.lost.Add(1)
		lineA.lost.Add(1)
		time.Sleep(2 * unstoredEvery)
		const chat = "voice:LoggedOut chat:Ready email:LoggedOut Active dnd:Off"
		b.posts(b.cookie(atA.SessionID()), startOf("chat"))
		settle()
		b.posts(b.cookie(atA.SessionID()), `{"operationName":"Ready"}`)
		b.expect(b.cookie(atA.SessionID()), "Ready", chat)
		settle()
		a.expect(a.cookie(atA.SessionID()), "the same where it is read", chat)
	})
}

// copied copies what the store has of an agent's session. What it returns has the store be as it was then.
func (f *shared) copied(t *testing.T, login string) func() {
	t.Helper()
	old, err := f.store.ByLogin(t.Context(), login)
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		err := f.store.Put(t.Context(), old, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestAStoreOfAnOlderCopyIsMadeGood has the store forget cleo's second Start.
func TestAStoreOfAnOlderCopyIsMadeGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet, cloud := newShared(), &htccsim.Server{}
		a, lineA := fleet.teller(t, cloud)
		b, lineB := fleet.teller(t, cloud)
		atA := a.login("cleo")
		a.posted(atA, "", startAll)
		settle()
		lose := fleet.copied(t, "cleo")
		a.posted(atA, "", startOf("chat"))
		desktop := a.open(atA, everything)
		settle()
		lose()
		lineA.lost.Add(1)
		lineB.lost.Add(1)
		settle()
		if got := desktop.ending(); !strings.HasSuffix(got, "handshake") {
			t.Errorf("an application whose events are not numbered as before ended with %q; want advice to shake hands", got)
		}
		settle()
		b.posts(b.cookie(atA.SessionID()), `{"operationName":"Ready"}`)
		b.expect(b.cookie(atA.SessionID()), "Ready at the other replica", "voice:LoggedOut chat:Ready email:LoggedOut Active dnd:Off")
		settle()
		a.expect(a.cookie(atA.SessionID()), "the same where it is read", "voice:LoggedOut chat:Ready email:LoggedOut Active dnd:Off")
	})
}

// TestALossThatNoProbeShowsIsMadeGood has the store forget cleo's second Start without anybody noticing but by that.
func TestALossThatNoProbeShowsIsMadeGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet, cloud := newShared(), &htccsim.Server{}
		a, _ := fleet.teller(t, cloud)
		b, _ := fleet.teller(t, cloud)
		atA := a.login("cleo")
		a.posted(atA, "", startAll)
		settle()
		lose := fleet.copied(t, "cleo")
		a.posted(atA, "", startOf("chat"))
		desktop := a.open(atA, everything)
		lose()
		settle()
		if got := desktop.ending(); !strings.HasSuffix(got, "handshake") {
			t.Errorf("an application whose events may be lost ended with %q; want advice to shake hands", got)
		}
		b.posts(b.cookie(atA.SessionID()), `{"operationName":"Ready"}`)
		b.expect(b.cookie(atA.SessionID()), "Ready at the other replica", "voice:LoggedOut chat:Ready email:LoggedOut Active dnd:Off")
	})
}

// TestAStartLeavesWhatWasStartedElsewhere has cleo start less where nobody tells what she works on, and where HTCC is
// asked for that it may not say.
func TestAStartLeavesWhatWasStartedElsewhere(t *testing.T) {
	for _, fails := range []int{0, 1} {
		synctest.Test(t, func(t *testing.T) {
			_, cloud, a, b := twoTellers(t)
			atA := a.login("cleo")
			settle()
			b.shows(b.cookie(atA.SessionID()))
			a.posts(atA, startOf("chat email"))
			a.posts(atA, `{"operationName":"Ready"}`)
			if fails > 0 {
				a.faultCloud(cloud, htccsim.Fault{Route: "GET /api/v2/me", Status: 500, Times: fails})
			}
			if got := b.posts(b.cookie(atA.SessionID()), startOf("chat")); got != "+chat" {
				t.Errorf("a narrower Start elsewhere = %s; want +chat", got)
			}
			worksAt(t, cloud, "cleo", "chat:Ready email:LoggedOut")
			settle()
			for _, w := range []*world{a, b} {
				w.expect(w.cookie(atA.SessionID()), "after it", "voice:LoggedOut chat:Ready email:LoggedOut Active dnd:Off")
			}
		})
	}
}

// TestWhatWasLeftElsewhereIsNotBroughtBack has HTCC lose the session right after cleo left email at the replica that
// does not log in again.
func TestWhatWasLeftElsewhereIsNotBroughtBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cloud, a, b := twoTellers(t)
		atA := a.login("cleo")
		settle()
		a.posts(atA, startAll)
		a.posts(atA, `{"operationName":"Ready"}`)
		b.posted(b.cookie(atA.SessionID()), "email", `{"operationName":"Offline"}`)
		a.faultCloud(cloud, htccsim.Fault{Scenario: "expire-session", User: "cleo"})
		time.Sleep(time.Minute)
		worksAt(t, cloud, "cleo", "chat:Ready email:LoggedOut")
		if got := a.posts(a.cookie(atA.SessionID()), `{"operationName":"Ready"}`); got != "+voice +chat" {
			t.Errorf("Ready = %s; want +voice +chat", got)
		}
		worksAt(t, cloud, "cleo", "chat:Ready email:LoggedOut")
	})
}
