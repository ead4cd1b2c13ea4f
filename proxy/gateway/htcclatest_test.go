package gateway

import (
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc/htccsim"
)

// lose has the site forget the reader's CometD session, after which the state is read anew.
func (w *world) lose(cloud *htccsim.Server, name string) {
	w.t.Helper()
	w.faultCloud(cloud, htccsim.Fault{Scenario: "drop-stream", User: name})
}

var callStarts = []string{"/v2/me/calls CallStateChangeMessage"}

// TestWhatComesWhileTheStateIsReadIsToldAtOnce has a read after a break, in which chat was changed, take long, and the
// agent's voice changed after it has begun.
func TestWhatComesWhileTheStateIsReadIsToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, cloud, bjorn, desktop := newBjorn(t)
		w.faultCloud(cloud, htccsim.Fault{Route: routeMe, Delay: 4 * time.Second, After: true, Times: 1})
		w.lose(cloud, "bjorn")
		w.setCloud(cloud, htccsim.StateChange{User: "bjorn", Channel: "chat", State: "Ready"})
		time.Sleep(time.Second)
		w.setCloud(cloud, htccsim.StateChange{User: "bjorn", Channel: "voice", State: "Ready"})
		desktop.later("a change while the state is read", "device Active:Ready dnd:Off")
		w.faultCloud(cloud, htccsim.Fault{Scenario: "call", User: "bjorn"})
		desktop.later("a call", callStarts...)
		if bjorn.parts[0].current() {
			t.Fatal("the state has been read; want this to come before")
		}
		time.Sleep(2 * time.Second)
		desktop.hears("what was read", "channels chat:Ready")
		before := cloud.Calls()[routeMe]
		time.Sleep(time.Second)
		if got, want := w.shows(bjorn), "chat:Ready Active dnd:Off"; got != want {
			t.Errorf("shown %s; want %s", got, want)
		}
		if got := cloud.Calls()[routeMe] - before; got != 0 {
			t.Errorf("%d reads; want none: the site tells of changes", got)
		}
	})
}

// TestWhatComesWhileTheStateCannotBeReadIsTold has reads fail and notifications work.
func TestWhatComesWhileTheStateCannotBeReadIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, cloud, bjorn, desktop := newBjorn(t)
		w.faultCloud(cloud, htccsim.Fault{Route: routeMe, Status: 500})
		w.lose(cloud, "bjorn")
		w.setCloud(cloud, htccsim.StateChange{User: "bjorn", Channel: "chat", State: "Ready"})
		time.Sleep(20 * time.Second)
		before := cloud.Calls()[routeMe]
		w.faultCloud(cloud, htccsim.Fault{Scenario: "call", User: "bjorn"})
		desktop.later("a call", callStarts...)
		w.setCloud(cloud, htccsim.StateChange{User: "bjorn", Channel: "voice", State: "Ready"})
		desktop.later("a change", "device Active:Ready dnd:Off")
		time.Sleep(time.Minute)
		if got := cloud.Calls()[routeMe] - before; got < 2 || got > 6 {
			t.Errorf("%d reads in a minute; want 2 to 6", got)
		}
		cloud.Reset()
		time.Sleep(time.Minute)
		desktop.hears("reads that succeed", "channels chat:Ready")
		if !bjorn.parts[0].current() {
			t.Error("the state is not known; want that it is")
		}
	})
}

// TestWhatComesWhileReadsDoNotReachTheSite has the agent shown nothing of the site, whom a read finds away, and told
// nothing else.
func TestWhatComesWhileReadsDoNotReachTheSite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, cloud, bjorn, desktop := newBjorn(t)
		w.faultCloud(cloud, htccsim.Fault{Route: routeMe, Status: 503})
		w.lose(cloud, "bjorn")
		time.Sleep(20 * time.Second)
		desktop.hears("reads that fail, and nobody asked for")
		if got, want := w.shows(bjorn), "Inactive dnd:Off"; got != want {
			t.Errorf("shown %s; want %s", got, want)
		}
		desktop.hears("a read that fails", "device Inactive dnd:Off", "channels")
		w.setCloud(cloud, htccsim.StateChange{User: "bjorn", Channel: "voice", State: "Ready"})
		w.setCloud(cloud, htccsim.StateChange{User: "bjorn", Channel: "chat", State: "Ready"})
		w.faultCloud(cloud, htccsim.Fault{Scenario: "call", User: "bjorn"})
		desktop.later("a call", callStarts...)
		cloud.Reset()
		time.Sleep(time.Minute)
		desktop.hears("reads that succeed", "device Active:Ready dnd:Off", "channels chat:Ready")
	})
}
