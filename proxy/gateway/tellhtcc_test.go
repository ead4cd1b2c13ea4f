package gateway

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
)

func (w *world) setCloud(cloud *htccsim.Server, change htccsim.StateChange) {
	w.t.Helper()
	err := cloud.SetState(change)
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) faultCloud(cloud *htccsim.Server, f htccsim.Fault) {
	w.t.Helper()
	err := cloud.Fault(f)
	if err != nil {
		w.t.Fatal(err)
	}
}

const startTwo = `{"operationName":"StartContactCenterSession","channels":["voice","chat"]}`

func TestAnAgentOnHTCCAloneHearsWhatTheSiteSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w := newTellingUnion(t, cloud)
		bjorn := w.login("bjorn")
		time.Sleep(time.Second)
		desktop := w.open(bjorn, everything)
		direct := w.openDirect(cloud, "bjorn", everything)
		other := w.open(bjorn, "/v2/me/devices", "/v2/me/channels")
		w.posted(bjorn, "", startTwo)
		time.Sleep(time.Second)
		w.posted(bjorn, "voice", `{"operationName":"Ready"}`)
		w.posted(bjorn, "chat", `{"operationName":"Ready"}`)
		time.Sleep(time.Second)
		w.faultCloud(cloud, htccsim.Fault{Scenario: "call", User: "bjorn"})
		time.Sleep(time.Second)
		got, want := desktop.heardWhole(), direct.heardWhole()
		if len(want) < 6 || !slices.Equal(got, want) {
			t.Errorf("what came is\n%q\nwant, as from the site,\n%q", got, want)
		}
		other.hears("on two topics", "device Active:LoggedIn dnd:Off", "channels chat:NotReady", "device Active:Ready dnd:Off",
			"device Active:Ready dnd:Off", "channels chat:Ready")
		w.faultCloud(cloud, htccsim.Fault{Scenario: "drop-stream", User: "bjorn"})
		time.Sleep(time.Minute)
		desktop.hears("a break in which nothing happened")
		w.faultCloud(cloud, htccsim.Fault{Scenario: "drop-stream", User: "bjorn"})
		w.faultCloud(cloud, htccsim.Fault{Scenario: "end-call", User: "bjorn"})
		w.setCloud(cloud, htccsim.StateChange{User: "bjorn", Channel: "chat", State: "NotReady"})
		time.Sleep(time.Minute)
		desktop.hears("a break in which chat was changed", "channels chat:NotReady")
		w.setCloud(cloud, htccsim.StateChange{User: "bjorn", Channel: "chat", State: "Ready"})
		desktop.later("after it", "channels chat:Ready")
		w.faultCloud(cloud, htccsim.Fault{Scenario: "expire-session", User: "bjorn"})
		time.Sleep(time.Minute)
		desktop.hears("a lost session")
		w.faultCloud(cloud, htccsim.Fault{Scenario: "backend-down"})
		desktop.later("backends away", "services SIP_P:Inactive IXN_P:Inactive", "device Inactive dnd:Off", "channels")
		w.faultCloud(cloud, htccsim.Fault{Scenario: "backend-up"})
		desktop.later("backends back", "services SIP_P:Active IXN_P:Active", "device Active:NotReady dnd:Off", "channels chat:NotReady")
	})
}

func TestAnAgentOnBothSitesHearsOfOneSetOfChannels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w := newTellingUnion(t, cloud)
		cleo := w.login("cleo")
		w.shows(cleo)
		time.Sleep(time.Second)
		desktop := w.open(cleo, everything)
		w.posted(cleo, "", `{"operationName":"StartContactCenterSession","channels":["voice","chat"]}`)
		desktop.settles("Start without email", "channels voice:NotReady chat:NotReady email:LoggedOut")
		w.posted(cleo, "", startAll)
		desktop.settles("Start", "channels voice:NotReady chat:NotReady email:NotReady")
		w.posted(cleo, "", `{"operationName":"Ready"}`)
		desktop.settles("Ready", "channels voice:Ready chat:Ready email:Ready")
		w.posted(cleo, "chat", `{"operationName":"NotReady"}`)
		desktop.later("NotReady on chat", "channels voice:Ready chat:NotReady email:Ready")
		w.posted(cleo, "voice", `{"operationName":"AtLunch"}`)
		desktop.later("AtLunch on voice", "device Active:NotReadyAt Lunch dnd:Off", "channels voice:NotReadyAt Lunch chat:NotReady email:Ready")
		w.posted(cleo, "", `{"operationName":"DoNotDisturbOn"}`)
		desktop.settles("DND on", "channels voice:NotReadyAt Lunch/dnd chat:NotReady/dnd email:Ready/dnd")
		w.posted(cleo, "", `{"operationName":"DoNotDisturbOff"}`)
		desktop.settles("DND off", "channels voice:NotReadyAt Lunch chat:NotReady email:Ready")
		w.setCloud(cloud, htccsim.StateChange{User: "cleo", Channel: "voice", State: "Ready"})
		desktop.later("voice of the site that does not own it")
		w.set(icwssim.StateChange{User: "cleo", Activations: map[string]bool{"Mail": true}})
		desktop.later("email of the site that does not own it")
		w.faultCloud(cloud, htccsim.Fault{Scenario: "drop-stream", User: "cleo"})
		w.setCloud(cloud, htccsim.StateChange{User: "cleo", Channel: "email", State: "NotReady"})
		time.Sleep(time.Minute)
		desktop.hears("a break in which email changed", "channels voice:NotReadyAt Lunch chat:NotReady email:NotReady")
		w.faultCloud(cloud, htccsim.Fault{Scenario: "multimedia-down"})
		desktop.later("multimedia down", "services IXN_P:Inactive", "channels voice:NotReadyAt Lunch")
		w.faultCloud(cloud, htccsim.Fault{Scenario: "multimedia-up"})
		desktop.later("multimedia up", "services IXN_P:Active", "channels voice:NotReadyAt Lunch chat:NotReady email:NotReady")
		w.faultCloud(cloud, htccsim.Fault{Scenario: "hang"})
		w.faultCloud(cloud, htccsim.Fault{Scenario: "drop-stream"})
		time.Sleep(time.Minute)
		w.shows(cleo)
		desktop.hears("HTCC hangs", "channels voice:NotReadyAt Lunch")
		cloud.Reset()
		time.Sleep(2 * time.Minute)
		desktop.hears("HTCC is back", "channels voice:NotReadyAt Lunch chat:NotReady email:NotReady")
		w.fault(icwssim.Fault{Scenario: "expire-session", User: "cleo"})
		time.Sleep(time.Minute)
		desktop.hears("outage of PureConnect", "device Inactive dnd:Off", "channels chat:NotReady email:NotReady",
			"device Active:NotReadyAt Lunch dnd:Off", "channels voice:NotReadyAt Lunch chat:NotReady email:NotReady")
		w.fault(icwssim.Fault{Scenario: "force-logoff", User: "cleo"})
		time.Sleep(time.Minute)
		desktop.hears("forced off PureConnect", "device Inactive dnd:Off", "channels voice:LoggedOut chat:NotReady email:NotReady")
	})
}

func TestASiteThatJoinsLaterIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w := newTellingUnion(t, cloud)
		w.fault(icwssim.Fault{Scenario: "hang"})
		cleo := w.login("cleo")
		time.Sleep(time.Minute)
		desktop := w.open(cleo, "/v2/me/*") // when the probe notices is another matter
		w.sim.Reset()
		time.Sleep(2 * time.Minute)
		desktop.hears("PureConnect is there", "device Active:NotReady dnd:Off", "channels voice:NotReady")
	})
}

// TestFailuresOfADeviceOfTheOtherSiteAreNotTold has HTCC lose the device that it gives cleo, whose voice is
// PureConnect's.
func TestFailuresOfADeviceOfTheOtherSiteAreNotTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w := newTellingUnion(t, cloud)
		cleo := w.login("cleo")
		w.posted(cleo, "", startAll)
		time.Sleep(time.Second)
		desktop := w.open(cleo, everything)
		w.faultCloud(cloud, htccsim.Fault{Scenario: "voice-down"})
		w.posted(cleo, "", `{"operationName":"DoNotDisturbOn"}`)
		time.Sleep(time.Second)
		for _, one := range desktop.heardWhole() {
			if strings.Contains(one, "ErrorMessage") {
				t.Errorf("told %s; want nothing of a device that cleo does not have", one)
			}
		}
	})
}
