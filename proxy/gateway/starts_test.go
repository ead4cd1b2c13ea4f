package gateway

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/translate"
	"portico/translate/htccapi"
)

// startOf returns the body of a Start for some channels.
func startOf(channels string) string {
	return `{"operationName":"StartContactCenterSession","channels":["` + strings.ReplaceAll(channels, " ", `","`) + `"]}`
}

// posts is post, and what became of it for each channel.
func (w *world) posts(a *Agent, body string) string {
	w.t.Helper()
	outcome, err := w.post(a, "", body)
	time.Sleep(time.Second)
	if err != nil {
		return err.Error()
	}
	return sides(outcome)
}

// worksAt holds an agent's channels at the HTCC site to what is wanted, as "chat:Ready email:LoggedOut".
func worksAt(t *testing.T, cloud *htccsim.Server, user, want string) {
	t.Helper()
	state, err := cloud.State(user)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, channel := range state.Channels {
		if strings.Contains(want, string(channel.Channel)+":") {
			got = append(got, fmt.Sprintf("%s:%s", channel.Channel, channel.UserState.State))
		}
	}
	if strings.Join(got, " ") != want {
		t.Errorf("HTCC has %s at %s; want %s", user, strings.Join(got, " "), want)
	}
}

// atWork returns cleo, who is Ready on all channels of both sites.
func atWork(t *testing.T, cloud *htccsim.Server) (*world, *Agent) {
	t.Helper()
	w := newUnion(t, &icwssim.Server{}, cloud)
	cleo := w.login("cleo")
	w.posted(cleo, "", startAll)
	w.posts(cleo, `{"operationName":"Ready"}`)
	return w, cleo
}

// voiceAlone is a PureConnect site that has no channel but the one that it owns.
func voiceAlone(_ *Settings, s *Site) {
	s.Rules.Channels = []translate.Channel{{Name: htccapi.Voice, Workgroups: []string{"Sales", "Support"}}}
}

// While what stands behind HTCC's chat and email is lost, the site does not list them, and refuses what is done to them.
func TestAskedChannelsThatTheSiteDoesNotListFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w, cleo := atWork(t, cloud)
		w.posts(cleo, startOf("voice chat"))
		w.faultCloud(cloud, htccsim.Fault{Scenario: "multimedia-down"})
		time.Sleep(time.Minute)
		for _, op := range []string{"Ready", "NotReady", "DoNotDisturbOn", "DoNotDisturbOff", "Ready", "NotReady"} {
			if got := w.posts(cleo, `{"operationName":"`+op+`"}`); got != "+voice -chat" {
				t.Errorf("%s = %s; want +voice -chat", op, got)
			}
			time.Sleep(time.Minute)
		}
		w.faultCloud(cloud, htccsim.Fault{Scenario: "multimedia-up"})
		if got := w.posts(cleo, `{"operationName":"Ready"}`); got != "+voice +chat" {
			t.Errorf("Ready, with chat back = %s; want +voice +chat", got)
		}
		w.posted(cleo, "chat", `{"operationName":"Offline"}`)
		time.Sleep(time.Minute)
		if got := w.posts(cleo, `{"operationName":"NotReady"}`); got != "+voice" {
			t.Errorf("NotReady while chat is LoggedOut = %s; want +voice", got)
		}
	})
}

func TestASiteWhoseOnlyChannelsAreNotAskedForOffersNoWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newUnion(t, &icwssim.Server{}, &htccsim.Server{}, voiceAlone)
		cleo := w.login("cleo")
		if got := w.posts(cleo, startOf("chat")); got != "+chat" {
			t.Errorf("Start = %s; want +chat", got)
		}
		w.expect(cleo, "after Start for chat", "voice:LoggedOut chat:NotReady email:LoggedOut Active dnd:Off")
		if got := w.posts(cleo, `{"operationName":"Ready"}`); got != "+chat" {
			t.Errorf("Ready = %s; want +chat", got)
		}
		w.holds("cleo", "Available, No ACD")
		w.posts(cleo, startOf("voice chat"))
		w.posts(cleo, `{"operationName":"Ready"}`)
		w.expect(cleo, "Ready on both", "voice:Ready chat:Ready email:LoggedOut Active dnd:Off")
		w.posts(cleo, startOf("chat"))
		w.expect(cleo, "after a narrower Start", "voice:LoggedOut chat:Ready email:LoggedOut Active dnd:Off")
		w.holds("cleo", "Available, No ACD")
	})
}

// TestAStartThatFailsWhereNothingIsAskedFor has PureConnect, which owns voice alone, refuse to take the agent from it.
func TestAStartThatFailsWhereNothingIsAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, cleo := atWork(t, &htccsim.Server{})
		w.fault(icwssim.Fault{Route: routePutActivations, Status: 500})
		if got := w.posts(cleo, startOf("chat email")); got != "+chat +email -voice" {
			t.Errorf("Start = %s; want voice failed", got)
		}
		w.expect(cleo, "after it", "voice:Ready chat:Ready email:Ready Active dnd:Off")
		if got := w.posts(cleo, `{"operationName":"Ready"}`); got != "+chat +email -voice" {
			t.Errorf("Ready while the site still refuses = %s; want voice failed", got)
		}
		w.sim.Reset()
		if got := w.posted(cleo, "", `{"operationName":"Ready"}`); sides(got) != "+chat +email" {
			t.Errorf("Ready = %s; want it without voice", sides(got))
		}
		time.Sleep(time.Second)
		w.expect(cleo, "once it was made up for", "voice:LoggedOut chat:Ready email:Ready Active dnd:Off")
		w.holds("cleo", "Available, No ACD")
	})
}

// TestAStartThatFailedKeepsNobodyFromPausing has the site refuse it once more, and the pause not.
func TestAStartThatFailedKeepsNobodyFromPausing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, cleo := atWork(t, &htccsim.Server{})
		w.fault(icwssim.Fault{Route: routePutActivations, Status: 500})
		w.posts(cleo, startOf("chat"))
		if got := w.posts(cleo, `{"operationName":"NotReady"}`); got != "+voice +chat" {
			t.Errorf("NotReady = %s; want +voice +chat", got)
		}
		w.holds("cleo", "Available, No ACD")
	})
}

func TestHTCCIsToldWhatIsNotAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w, cleo := atWork(t, cloud)
		worksAt(t, cloud, "cleo", "chat:Ready email:Ready")
		if got := w.posts(cleo, startOf("voice chat")); got != "+voice +chat" {
			t.Errorf("Start = %s; want +voice +chat", got)
		}
		worksAt(t, cloud, "cleo", "email:LoggedOut")
		w.faultCloud(cloud, htccsim.Fault{Route: "POST /api/v2/me/channels/{channel}", Status: 500})
		if got := w.posts(cleo, startOf("voice")); got != "+voice -chat" {
			t.Errorf("Start that chat does not follow = %s; want +voice -chat", got)
		}
		w.expect(cleo, "while chat is not left", "voice:Ready chat:Ready email:LoggedOut Active dnd:Off")
		if got := w.posts(cleo, `{"operationName":"Ready"}`); got != "+voice -chat" {
			t.Errorf("Ready while the site refuses = %s; want +voice -chat", got)
		}
		cloud.Reset()
		if got := w.posted(cleo, "", `{"operationName":"NotReady"}`); sides(got) != "+voice" {
			t.Errorf("NotReady = %s; want +voice, and chat left", sides(got))
		}
		time.Sleep(time.Second)
		w.expect(cleo, "once chat is left", "voice:NotReady chat:LoggedOut email:LoggedOut Active dnd:Off")
		worksAt(t, cloud, "cleo", "chat:LoggedOut email:LoggedOut")
	})
}

// TestWhatAnAgentSetsThemselvesIsNotLeft has HTCC refuse to take cleo from chat, which she then sets herself.
func TestWhatAnAgentSetsThemselvesIsNotLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w, cleo := atWork(t, cloud)
		w.faultCloud(cloud, htccsim.Fault{Route: "POST /api/v2/me/channels/{channel}", Status: 500})
		got, err := w.post(cleo, "", startOf("voice email"))
		if err != nil || sides(got) != "+voice +email -chat" {
			t.Errorf("Start = %s, %v; want chat failed", sides(got), err)
		}
		cloud.Reset()
		w.posted(cleo, "chat", `{"operationName":"Ready"}`)
		if got := w.posts(cleo, `{"operationName":"Ready"}`); got != "+voice +chat +email" {
			t.Errorf("Ready = %s; want all", got)
		}
		worksAt(t, cloud, "cleo", "chat:Ready email:Ready")
	})
}

// TestAStartThatIsOwedLeavesWhatAnAgentSetsThemselves does so with voice, at PureConnect.
func TestAStartThatIsOwedLeavesWhatAnAgentSetsThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, cleo := atWork(t, &htccsim.Server{})
		w.fault(icwssim.Fault{Route: routePutActivations, Status: 500})
		got, err := w.post(cleo, "", startOf("chat email"))
		if err != nil || sides(got) != "+chat +email -voice" {
			t.Errorf("Start = %s, %v; want voice failed", sides(got), err)
		}
		w.sim.Reset()
		w.posted(cleo, htccapi.Voice, `{"operationName":"Ready"}`)
		if got := w.posts(cleo, `{"operationName":"Ready"}`); got != "+voice +chat +email" {
			t.Errorf("Ready = %s; want all", got)
		}
		w.holds("cleo", "Available")
	})
}

// TestAnAgentWhosePartHasEndedCanLogOut ends cleo's part at PureConnect.
func TestAnAgentWhosePartHasEndedCanLogOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w := newUnion(t, &icwssim.Server{}, cloud)
		cleo := w.login("cleo")
		w.posted(cleo, "", startAll)
		w.fault(icwssim.Fault{Scenario: "force-logoff", User: "cleo"})
		time.Sleep(time.Second)
		err := w.EndContactCenterSession(t.Context(), cleo)
		if err != nil {
			t.Errorf("End = %v; want none", err)
		}
		w.sessions("cleo", 0)
		if cleo.life.Err() == nil {
			t.Error("the session goes on after its end")
		}
	})
}

// TestAChannelThatWasLeftIsTheAgentsAgain has cleo take up email again, which her last Start did not ask for. It counts
// then, also when HTCC loses the session.
func TestAChannelThatWasLeftIsTheAgentsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w, cleo := atWork(t, cloud)
		w.posts(cleo, startOf("chat"))
		w.posted(cleo, "email", `{"operationName":"NotReady"}`)
		w.posted(cleo, "email", `{"operationName":"Ready"}`)
		w.expect(cleo, "Ready on email", "voice:LoggedOut chat:Ready email:Ready Active dnd:Off")
		if got := w.posts(cleo, `{"operationName":"NotReady"}`); got != "+chat +email" {
			t.Errorf("NotReady = %s; want +chat +email", got)
		}
		worksAt(t, cloud, "cleo", "chat:NotReady email:NotReady")
		w.faultCloud(cloud, htccsim.Fault{Route: routeHTCCLogin, Delay: time.Second, Times: 1})
		w.faultCloud(cloud, htccsim.Fault{Scenario: "expire-session", User: "cleo"})
		w.faultCloud(cloud, htccsim.Fault{Scenario: "end-contact-center-session", User: "cleo"})
		time.Sleep(time.Minute)
		worksAt(t, cloud, "cleo", "chat:NotReady email:NotReady")
		w.expect(cleo, "on a new session", "voice:LoggedOut chat:NotReady email:NotReady Active dnd:Off")
		w.posts(cleo, startOf("chat"))
		worksAt(t, cloud, "cleo", "email:LoggedOut")
	})
}

// TestNotReadyBringsNothingBack follows an Offline at once, of which HTCC has not told yet.
func TestNotReadyBringsNothingBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w, cleo := atWork(t, cloud)
		w.posted(cleo, "email", `{"operationName":"Offline"}`)
		if got := w.posts(cleo, `{"operationName":"NotReady"}`); got != "+voice +chat" {
			t.Errorf("NotReady = %s; want +voice +chat", got)
		}
		worksAt(t, cloud, "cleo", "chat:NotReady email:LoggedOut")
	})
}

// TestNotReadyReachesWhatAnotherClientBroughtBack has one make cleo Ready on email, which she left here.
func TestNotReadyReachesWhatAnotherClientBroughtBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w, cleo := atWork(t, cloud)
		w.posted(cleo, "email", `{"operationName":"Offline"}`)
		time.Sleep(time.Minute)
		w.setCloud(cloud, htccsim.StateChange{User: "cleo", Channel: "email", State: "Ready"})
		time.Sleep(time.Minute)
		w.posted(cleo, "chat", `{"operationName":"Ready"}`)
		if got := w.posts(cleo, `{"operationName":"NotReady"}`); got != "+voice +chat +email" {
			t.Errorf("NotReady = %s; want all", got)
		}
		worksAt(t, cloud, "cleo", "chat:NotReady email:NotReady")
	})
}
