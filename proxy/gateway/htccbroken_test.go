package gateway

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
)

const (
	routeNotifications = "POST /api/v2/notifications"
	routeMe            = "GET /api/v2/me"
)

// breakCometD has the notifications of an HTCC site fail, whose REST works, until its faults are ended.
func (w *world) breakCometD(cloud *htccsim.Server, name string) {
	w.t.Helper()
	w.faultCloud(cloud, htccsim.Fault{Route: routeNotifications, Status: 503})
	w.faultCloud(cloud, htccsim.Fault{Scenario: "drop-stream", User: name})
	time.Sleep(2 * time.Second)
}

// newBjorn returns a world with an agent of HTCC who is logged in to voice and chat and not ready, and an application that
// is told of it.
func newBjorn(t *testing.T) (*world, *htccsim.Server, *Agent, *desktop) {
	t.Helper()
	cloud := &htccsim.Server{}
	w, bjorn, desktop := newBjornAt(t, cloud)
	return w, cloud, bjorn, desktop
}

// newBjornAt is newBjorn at an HTCC site with knobs.
func newBjornAt(t *testing.T, cloud *htccsim.Server) (*world, *Agent, *desktop) {
	t.Helper()
	w := newTellingUnion(t, cloud)
	bjorn := w.login("bjorn")
	time.Sleep(time.Second)
	w.posted(bjorn, "", startTwo)
	time.Sleep(time.Second)
	w.posted(bjorn, "", `{"operationName":"NotReady"}`)
	time.Sleep(time.Second)
	return w, bjorn, w.open(bjorn, everything)
}

// TestWhileNotificationsOfHTCCFailOwnOperationsAreTold has an application that never reads, and then one that does at
// once.
func TestWhileNotificationsOfHTCCFailOwnOperationsAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, cloud, bjorn, desktop := newBjorn(t)
		w.breakCometD(cloud, "bjorn")
		before := cloud.Calls()[routeMe]
		w.posted(bjorn, "", `{"operationName":"Ready"}`)
		desktop.later("Ready", "device Active:Ready dnd:Off", "channels chat:Ready")
		if got := cloud.Calls()[routeMe] - before; got != 1 {
			t.Errorf("%d reads of the agent followed; want 1", got)
		}
		w.posted(bjorn, "voice", `{"operationName":"NotReady"}`)
		w.posted(bjorn, "chat", `{"operationName":"NotReady"}`)
		desktop.later("NotReady on each", "device Active:NotReady dnd:Off", "channels chat:NotReady")
		if got := cloud.Calls()[routeMe] - before; got != 2 {
			t.Errorf("%d reads of the agent followed so far; want 2", got)
		}
		w.posted(bjorn, "", `{"operationName":"Ready"}`)
		w.shows(bjorn)
		desktop.hears("Ready and a read at once", "device Active:Ready dnd:Off", "channels chat:Ready")
		desktop.later("nothing after it")
		cloud.Reset()
		desktop.hears("the end of it")
		time.Sleep(time.Minute)
		desktop.hears("notifications after it")
		w.posted(bjorn, "", `{"operationName":"NotReady"}`)
		desktop.later("NotReady", "device Active:NotReady dnd:Off", "channels chat:NotReady")
	})
}

// TestASessionThatIsRefusedOnce has a site that notifies refuse a call as one without a session. On another one, or on the
// same where none can be had, the agent is told all again, without reads.
func TestASessionThatIsRefusedOnce(t *testing.T) {
	for _, none := range []bool{false, true} {
		t.Run(fmt.Sprint("no log-in ", none), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, cloud, bjorn, desktop := newBjorn(t)
				w.faultCloud(cloud, htccsim.Fault{Route: "POST /api/v2/me/channels/{channel}", Status: 403, Times: 1})
				if none {
					w.faultCloud(cloud, htccsim.Fault{Route: routeHTCCLogin, Status: 503})
				}
				_, err := w.post(bjorn, "chat", `{"operationName":"Ready"}`)
				if (err != nil) != none {
					t.Errorf("Ready on chat: %v; want an error: %v", err, none)
				}
				time.Sleep(20 * time.Second)
				cloud.Reset()
				time.Sleep(time.Minute)
				desktop.heard()
				before := cloud.Calls()[routeMe]
				for range 3 {
					w.posted(bjorn, "chat", `{"operationName":"NotReady"}`)
					desktop.later("NotReady on chat", "channels chat:NotReady")
					w.shows(bjorn)
				}
				if got := cloud.Calls()[routeMe] - before; got != 0 {
					t.Errorf("%d reads of the agent followed; want 0", got)
				}
			})
		})
	}
}

// TestDoNotDisturbRightAfterNotificationsWorkAgainIsTold has it set while what the site notifies of may be what reads
// have told: of channels nothing else changes.
func TestDoNotDisturbRightAfterNotificationsWorkAgainIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, cloud, bjorn, desktop := newBjorn(t)
		w.breakCometD(cloud, "bjorn")
		w.posted(bjorn, "", `{"operationName":"Ready"}`)
		desktop.later("Ready", "device Active:Ready dnd:Off", "channels chat:Ready")
		cloud.Reset()
		for !bjorn.parts[0].current() {
			time.Sleep(10 * time.Millisecond)
		}
		desktop.heardWhole()
		w.posted(bjorn, "", `{"operationName":"DoNotDisturbOn"}`)
		time.Sleep(500 * time.Millisecond)
		if told := strings.Join(desktop.heardWhole(), "\n"); !strings.Contains(told, `"dndState":"On"`) {
			t.Errorf("told %s; want do-not-disturb of the channels too", told)
		}
	})
}

// TestTheSameStateRightAfterNotificationsWorkAgainIsTold has it asked for while what the site notifies of may be what reads
// have told.
func TestTheSameStateRightAfterNotificationsWorkAgainIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{NotifyDelay: 50 * time.Millisecond}
		w, bjorn, desktop := newBjornAt(t, cloud)
		w.breakCometD(cloud, "bjorn")
		w.posted(bjorn, "", `{"operationName":"Ready"}`)
		desktop.later("Ready", "device Active:Ready dnd:Off", "channels chat:Ready")
		cloud.Reset()
		for !bjorn.parts[0].current() {
			time.Sleep(10 * time.Millisecond)
		}
		desktop.heard()
		for range 3 {
			w.posted(bjorn, "", `{"operationName":"Ready"}`)
			desktop.later("Ready again", "device Active:Ready dnd:Off", "channels chat:Ready")
		}
	})
}

func TestWhileNotificationsOfHTCCFailTheListOfAllChannelsIsTrue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w := newTellingUnion(t, cloud)
		cleo := w.login("cleo")
		time.Sleep(time.Second)
		w.posted(cleo, "", startAll)
		time.Sleep(time.Second)
		desktop := w.open(cleo, everything)
		w.breakCometD(cloud, "cleo")
		w.posted(cleo, "chat", `{"operationName":"Ready"}`)
		desktop.later("Ready on chat", "channels voice:NotReady chat:Ready email:NotReady")
		w.set(icwssim.StateChange{User: "cleo", StatusID: new("At Lunch")})
		desktop.later("a change at PureConnect", "device Active:NotReadyAt Lunch dnd:Off", "channels voice:NotReadyAt Lunch chat:Ready email:NotReady")
		w.posted(cleo, "", `{"operationName":"Ready"}`)
		desktop.settles("Ready", "channels voice:Ready chat:Ready email:Ready")
		cloud.Reset()
		time.Sleep(time.Minute)
		desktop.hears("notifications after it")
	})
}

// TestAShortBreakOfNotificationsOfHTCCTellsOnce has connects fail, after which the site tells what it kept for the
// reader: at once, or after what the agent did was read.
func TestAShortBreakOfNotificationsOfHTCCTellsOnce(t *testing.T) {
	for i := range 6 {
		length, read := []time.Duration{50 * time.Millisecond, 2 * time.Second, 5 * time.Second}[i/2], i%2 == 1
		t.Run(fmt.Sprint(length, " read ", read), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := &htccsim.Server{}
				w := newTellingUnion(t, cloud)
				bjorn := w.login("bjorn")
				time.Sleep(time.Second)
				w.posted(bjorn, "", startTwo)
				time.Sleep(time.Second)
				desktop := w.open(bjorn, everything)
				w.faultCloud(cloud, htccsim.Fault{Route: routeNotifications, Status: 503})
				w.faultCloud(cloud, htccsim.Fault{Scenario: "reset-connection", User: "bjorn"})
				time.Sleep(100 * time.Millisecond)
				w.posted(bjorn, "chat", `{"operationName":"Ready"}`)
				if read {
					w.shows(bjorn)
				}
				time.Sleep(length)
				cloud.Reset()
				time.Sleep(time.Minute)
				desktop.hears("Ready on chat", "channels chat:Ready")
			})
		})
	}
}

// TestWhileNotificationsOfHTCCFailTheReplicaThatReadsTells has the other one write.
func TestWhileNotificationsOfHTCCFailTheReplicaThatReadsTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cloud, a, b := twoTellers(t)
		atA := a.login("bjorn")
		settle()
		a.posted(atA, "", startTwo)
		settle()
		desktop := anywhere(atA.SessionID(), inTurn(a, b))
		a.breakCometD(cloud, "bjorn")
		desktop.heard()
		b.posted(b.cookie(atA.SessionID()), "chat", `{"operationName":"Ready"}`)
		desktop.later("a write where nobody reads", "channels chat:Ready")
		a.posted(atA, "chat", `{"operationName":"NotReady"}`)
		desktop.later("a write where it is read", "channels chat:NotReady")
		cloud.Reset()
		time.Sleep(time.Minute)
		desktop.hears("notifications after it")
	})
}

// TestAReaderThatBeginsCostsNoMoreReads has a site take its time, as over a network, while a reader begins.
func TestAReaderThatBeginsCostsNoMoreReads(t *testing.T) {
	for _, takes := range []time.Duration{0, 100 * time.Millisecond} {
		t.Run(takes.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, cloud, a, _ := twoTellers(t)
				if takes > 0 {
					a.faultCloud(cloud, htccsim.Fault{Route: routeNotifications, Delay: takes})
				}
				a.login("bjorn")
				time.Sleep(20 * time.Second)
				if got := cloud.Calls()[routeMe]; got != 3 {
					t.Errorf("%d reads of the agent at a log-in; want 3", got)
				}
			})
		})
	}
}

// TestDoNotDisturbThatEndsInABreakIsTold has it told, and switched off while notifications fail.
func TestDoNotDisturbThatEndsInABreakIsTold(t *testing.T) {
	for _, long := range []time.Duration{50 * time.Millisecond, 2 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			w, cloud, bjorn, desktop := newBjorn(t)
			w.posted(bjorn, "", `{"operationName":"DoNotDisturbOn"}`)
			time.Sleep(time.Minute)
			w.faultCloud(cloud, htccsim.Fault{Route: routeNotifications, Status: 503})
			w.faultCloud(cloud, htccsim.Fault{Scenario: "reset-connection", User: "bjorn"})
			time.Sleep(100 * time.Millisecond)
			desktop.heardWhole()
			w.posted(bjorn, "", `{"operationName":"DoNotDisturbOff"}`)
			w.shows(bjorn)
			time.Sleep(long)
			cloud.Reset()
			time.Sleep(time.Minute)
			if told := strings.Join(desktop.heardWhole(), "\n"); !strings.Contains(told, `"dndState":"Off"`) {
				t.Errorf("told %s; want that do-not-disturb of the channels is Off", told)
			}
		})
	}
}

// TestDoNotDisturbOfChannelsIsToldAfterALoss has the agent ask for it while nothing tells of it: what is read then says it
// of devices alone, which an agent on two sites may have at the other one.
func TestDoNotDisturbOfChannelsIsToldAfterALoss(t *testing.T) {
	on := func(w *world, agent *Agent) { w.posted(agent, "", `{"operationName":"DoNotDisturbOn"}`) }
	for name, lose := range map[string]func(*world, *htccsim.Server, *Agent){
		"notifications are away until the client is forgotten": func(w *world, cloud *htccsim.Server, agent *Agent) {
			w.breakCometD(cloud, agent.Login())
			on(w, agent)
			time.Sleep(9 * time.Second)
			cloud.Reset()
		},
		"the session is lost right after": func(w *world, cloud *htccsim.Server, agent *Agent) {
			on(w, agent)
			w.faultCloud(cloud, htccsim.Fault{Scenario: "expire-session", User: agent.Login()})
		},
	} {
		for _, login := range []string{"bjorn", "cleo"} {
			t.Run(name+", "+login, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					cloud := &htccsim.Server{}
					w := newTellingUnion(t, cloud)
					agent := w.login(login)
					time.Sleep(time.Second)
					w.working(agent)
					desktop := w.open(agent, everything)
					time.Sleep(time.Minute)
					lose(w, cloud, agent)
					time.Sleep(5 * time.Minute)
					channels := ""
					for _, one := range desktop.heard() {
						if strings.HasPrefix(one, "channels") {
							channels = one
						}
					}
					if !strings.Contains(channels, "chat:Ready/dnd") {
						t.Errorf("told last of channels: %q; want do-not-disturb", channels)
					}
				})
			})
		}
	}
}
