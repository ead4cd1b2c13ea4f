package gateway

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/icws/icwssim"
	"portico/translate/htccapi"
)

const everything = "/**"

// TestOneNotificationAChange operates at sites that confirm in every order, which may make no
// difference to what is told.
func TestOneNotificationAChange(t *testing.T) {
	for i := range 16 {
		completionFirst, atOnce, wait, announce := i&1 != 0, i&2 != 0, i&4 != 0, i&8 != 0
		name := fmt.Sprintf("completion first %v, before the answer %v, waited for %v, same status announced %v", completionFirst, atOnce, wait, announce)
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim := &icwssim.Server{CompletionFirst: completionFirst, AnnounceSameStatus: announce}
				if atOnce {
					sim.AsyncDelay = -1
				}
				w := newTelling(t, sim, func(_ *Settings, s *Site) { s.WaitCompleted = wait })
				tellsOperations(w)
			})
		})
	}
}

func tellsOperations(w *world) {
	anna := w.login("anna")
	w.shows(anna)
	time.Sleep(time.Second)
	desktop := w.open(anna, everything)
	desktop.later("at first")
	for _, step := range []struct {
		op      htccapi.Operation
		channel htccapi.MediaChannel
		device  string
		list    string
	}{
		{"Ready", "", "Active:Ready dnd:Off", "voice:Ready email:Ready"},
		{"Ready", "", "Active:Ready dnd:Off", "voice:Ready email:Ready"},
		{"NotReady", "email", "Active:Ready dnd:Off", "voice:Ready email:NotReady"},
		{"AtLunch", "email", "Active:Ready dnd:Off", "voice:Ready email:NotReadyAt Lunch"},
		{"AtLunch", "", "Active:NotReadyAt Lunch dnd:Off", "voice:NotReadyAt Lunch email:NotReadyAt Lunch"},
		{"AtPlay", "", "Active:NotReadyAt Play dnd:Off", "voice:NotReadyAt Play email:NotReadyAt Play"},
		{"DoNotDisturbOn", "", "Active:NotReadyAt Play dnd:On", "voice:NotReadyAt Play/dnd email:NotReadyAt Play/dnd"},
		{"DoNotDisturbOn", "", "Active:NotReadyAt Play dnd:On", "voice:NotReadyAt Play/dnd email:NotReadyAt Play/dnd"},
		{"Ready", "", "Active:Ready dnd:On", "voice:Ready/dnd email:Ready/dnd"},
		{"NotReady", "voice", "Active:NotReady dnd:On", "voice:NotReady/dnd email:Ready/dnd"},
		{"DoNotDisturbOff", "", "Active:NotReady dnd:Off", "voice:NotReady email:Ready"},
		{"DoNotDisturbOff", "", "Active:NotReady dnd:Off", "voice:NotReady email:Ready"},
		{"AfterCallWork", "", "Active:NotReadyAfterCallWork dnd:Off", "voice:NotReadyAfterCallWork email:NotReadyAfterCallWork"},
		{"Offline", "voice", "Active:LoggedOut dnd:Off", "voice:LoggedOut email:NotReadyAfterCallWork"},
		{"AfterCallWork", "voice", "Active:NotReadyAfterCallWork dnd:Off", "voice:NotReadyAfterCallWork email:NotReadyAfterCallWork"},
	} {
		w.do(anna, step.op, step.channel)
		time.Sleep(time.Second)
		got, device, list := desktop.heard(), "device "+step.device, "channels "+step.list
		slices.Sort(got) // a message about workgroups may tell of the channels before the device is told of
		if !slices.Equal(got, []string{list, device}) {
			w.t.Errorf("%s on %q: there came %q; want %q", step.op, step.channel, got, []string{list, device})
		}
	}
	time.Sleep(time.Minute)
	desktop.hears("afterwards")
}

func TestWhatOthersDoIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTelling(t, &icwssim.Server{})
		anna := w.login("anna")
		w.do(anna, htccapi.Ready, "")
		time.Sleep(time.Second)
		desktop := w.open(anna, everything)
		desktop.hears("at first")
		for _, step := range []struct {
			name   string
			change icwssim.StateChange
			want   []string
		}{
			{"another status", icwssim.StateChange{StatusID: ptr("At Lunch")}, []string{"device Active:NotReadyAt Lunch dnd:Off", "channels voice:NotReadyAt Lunch email:NotReadyAt Lunch"}},
			{"the same status", icwssim.StateChange{StatusID: ptr("At Lunch")}, nil},
			{"a workgroup that nobody is offered work of", icwssim.StateChange{Activations: map[string]bool{"Mail": false}}, nil},
			{"a status with work", icwssim.StateChange{StatusID: ptr("Available")}, []string{"device Active:Ready dnd:Off", "channels voice:Ready email:NotReady"}},
			{"a workgroup", icwssim.StateChange{Activations: map[string]bool{"Mail": true}}, []string{"channels voice:Ready email:Ready"}},
			{"a call", icwssim.StateChange{OnPhone: ptr(true)}, []string{"channels voice:Ready/Busy email:Ready"}},
			{"its end", icwssim.StateChange{OnPhone: ptr(false)}, []string{"channels voice:Ready email:Ready"}},
			{"a telephone", icwssim.StateChange{Stations: &[]string{"7000"}}, []string{"device Active:Ready dnd:Off", "channels voice:Ready email:Ready"}},
			{"do-not-disturb", icwssim.StateChange{StatusID: ptr("Do Not disturb")}, []string{"device Active:Ready dnd:On", "channels voice:Ready/dnd email:Ready/dnd"}},
			{"its end", icwssim.StateChange{StatusID: ptr("Available, No ACD")}, []string{"device Active:NotReady dnd:Off", "channels voice:NotReady email:NotReady"}},
			{"no answer to a call", icwssim.StateChange{StatusID: ptr("AcdAgentNotAnswering")},
				[]string{"device Active:NotReadyAcdAgentNotAnswering dnd:Off", "channels voice:NotReadyAcdAgentNotAnswering email:NotReadyAcdAgentNotAnswering"}},
			{"notes", icwssim.StateChange{Notes: ptr("back soon")}, nil},
		} {
			step.change.User = "anna"
			w.set(step.change)
			desktop.later(step.name, step.want...)
		}
		w.set(icwssim.StateChange{User: "agent0001", StatusID: ptr("Available")})
		desktop.later("what concerns another agent")
	})
}

func TestALaterRefusalIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTelling(t, &icwssim.Server{})
		anna := w.login("anna")
		w.shows(anna)
		time.Sleep(time.Second)
		desktop := w.open(anna, everything)
		w.fault(icwssim.Fault{Scenario: "refuse-async", User: "anna", Times: 1})
		w.do(anna, "AtLunch", "")
		w.expect(anna, "before the refusal", "voice:NotReadyAt Lunch email:NotReadyAt Lunch Active dnd:Off")
		desktop.later("a refusal after the answer", "device Active:NotReady dnd:Off", "channels voice:NotReady email:NotReady", "/v2/me/devices ErrorMessage")
		w.fault(icwssim.Fault{Scenario: "lose-completion", User: "anna", Times: 1})
		w.do(anna, "AtPlay", "")
		desktop.later("a change whose completion is lost", "device Active:NotReadyAt Play dnd:Off", "channels voice:NotReadyAt Play email:NotReadyAt Play")
		time.Sleep(20 * time.Second)
		desktop.hears("long after")
	})
}

// TestAChangeBeneathARefusalIsTold has somebody else lead an agent to what their own operation asks for, and the site
// refuse the operation. What is shown does not change by that, but has not been told.
func TestAChangeBeneathARefusalIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTelling(t, &icwssim.Server{AsyncDelay: 300 * time.Millisecond})
		anna := w.login("anna")
		w.shows(anna)
		w.set(icwssim.StateChange{User: "anna", Activations: map[string]bool{"Sales": false, "Support": false, "Mail": false}})
		w.do(anna, htccapi.DoNotDisturbOn, "")
		time.Sleep(10 * time.Second)
		desktop := w.open(anna, everything)
		w.fault(icwssim.Fault{Scenario: "refuse-async", User: "anna", Times: 1})
		w.do(anna, htccapi.DoNotDisturbOff, "")
		w.set(icwssim.StateChange{User: "anna", StatusID: ptr("Available")})
		desktop.later("a refusal", "device Active:NotReady dnd:Off", "channels voice:NotReady email:NotReady", "/v2/me/devices ErrorMessage")
		w.expect(anna, "after the refusal", "voice:NotReady email:NotReady Active dnd:Off")
	})
}

func TestWhatListsSayOfTheStateIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTelling(t, &icwssim.Server{})
		anna := w.login("anna")
		w.do(anna, "AtLunch", "")
		time.Sleep(time.Second)
		desktop := w.open(anna, everything)
		lunch := icwssim.NewStatus("At Lunch")
		lunch.MessageText = "Out to lunch"
		for _, step := range []struct {
			name   string
			change icwssim.CatalogueChange
			want   []string
		}{
			{"another status is gone", icwssim.CatalogueChange{Remove: []string{"At Play"}}, nil},
			{"the status shown has another name", icwssim.CatalogueChange{Change: []icwssim.StatusEdit{lunch}},
				[]string{"device Active:NotReadyAt Lunch dnd:Off", "channels voice:NotReadyAt Lunch email:NotReadyAt Lunch"}},
		} {
			err := w.sim.ChangeCatalogue(step.change)
			if err != nil {
				t.Fatal(err)
			}
			desktop.later(step.name, step.want...)
		}
		w.set(icwssim.StateChange{User: "anna", Access: &[]string{"Available", "Available, No ACD"}})
		desktop.later("a shorter access list")
	})
}

func TestAnOutageIsTold(t *testing.T) {
	for _, tt := range []struct {
		name     string
		site     func(*Site)
		before   htccapi.Operation
		scenario string
		want     []string
	}{
		{"work is not taken up again", func(*Site) {}, htccapi.Ready, "expire-session", []string{"device Inactive dnd:Off", "channels",
			"device Active:NotReady dnd:Off", "channels voice:NotReady email:NotReady"}},
		{"work is not taken up again, and channels are left", func(s *Site) { s.Rules.LoggedOutAfterOutage = true }, htccapi.Ready, "expire-session", []string{"device Inactive dnd:Off", "channels",
			"device Active:LoggedOut dnd:Off", "channels voice:LoggedOut email:LoggedOut"}},
		{"a break goes on", func(*Site) {}, "AtLunch", "expire-session", []string{"device Inactive dnd:Off", "channels",
			"device Active:NotReadyAt Lunch dnd:Off", "channels voice:NotReadyAt Lunch email:NotReadyAt Lunch"}},
		{"do-not-disturb goes on", func(*Site) {}, htccapi.DoNotDisturbOn, "expire-session", []string{"device Inactive dnd:On", "channels",
			"device Active:NotReady dnd:On", "channels voice:NotReady/dnd email:NotReady/dnd"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTelling(t, &icwssim.Server{}, func(_ *Settings, s *Site) { tt.site(s) })
				anna := w.login("anna")
				w.do(anna, tt.before, "")
				time.Sleep(time.Second)
				desktop := w.open(anna, everything)
				w.fault(icwssim.Fault{Scenario: tt.scenario, User: "anna"})
				time.Sleep(10 * time.Second)
				desktop.hears("the outage", tt.want...)
			})
		})
	}
}

func TestABrokenStreamIsToldByWhatItMissed(t *testing.T) {
	for _, missed := range []bool{false, true} {
		for _, version := range []int{1, 2} {
			synctest.Test(t, func(t *testing.T) {
				w := newTelling(t, &icwssim.Server{MessagingVersion: version})
				anna := w.login("anna")
				w.do(anna, htccapi.Ready, "")
				time.Sleep(10 * time.Second)
				desktop := w.open(anna, everything)
				w.fault(icwssim.Fault{Scenario: "reset-connection", User: "anna"})
				synctest.Wait()
				var want []string
				if missed {
					w.set(icwssim.StateChange{User: "anna", Activations: map[string]bool{"Mail": false}})
					want = []string{"channels voice:Ready email:NotReady"}
				}
				time.Sleep(20 * time.Second)
				desktop.hears("the break", want...)
			})
		}
	}
}

func TestASiteOutOfReachIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTelling(t, &icwssim.Server{})
		anna := w.login("anna")
		w.do(anna, htccapi.Ready, "")
		time.Sleep(time.Second)
		desktop, services := w.open(anna, "/v2/me/*"), w.open(anna, htccapi.TopicServices)
		w.fault(icwssim.Fault{Scenario: "ic-down"})
		desktop.later("the server behind the site is lost", "device Inactive dnd:Off", "channels")
		w.fault(icwssim.Fault{Scenario: "ic-up"})
		time.Sleep(time.Minute)
		desktop.hears("it is back", "device Active:NotReady dnd:Off", "channels voice:NotReady email:NotReady")
		w.fault(icwssim.Fault{Scenario: "hang"})
		w.fault(icwssim.Fault{Scenario: "drop-stream"})
		time.Sleep(time.Minute)
		desktop.hears("the site hangs", "device Inactive dnd:Off", "channels")
		services.hears("the site hangs", "services pureconnect:Inactive")
		w.sim.Reset()
		time.Sleep(2 * time.Minute)
		desktop.hears("it answers again", "device Active:NotReady dnd:Off", "channels voice:NotReady email:NotReady")
		if got := strings.Join(services.heardWhole(), ""); !strings.Contains(got, `"name":"pureconnect","type":"Voice","state":"Active","path":`) {
			t.Errorf("it answers again: %s; want the service to be active, without a uri", got)
		}
	})
}

// Ready is told once, device and channels, whatever activations it changes, and whether the message
// about them comes before the answer or after it.
func TestReadyIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTelling(t, &icwssim.Server{})
		anna := w.login("anna")
		time.Sleep(time.Second)
		desktop := w.open(anna, "/v2/me/*")
		for round := range 20 * 3 * 16 {
			channel := []htccapi.MediaChannel{"", "voice", "email"}[round%3]
			start := round / 3 % 16
			status := []string{"Available", "At Lunch"}[start/8]
			activations := map[string]bool{"Sales": start&1 > 0, "Support": start&2 > 0, "Mail": start&4 > 0}
			w.set(icwssim.StateChange{User: "anna", StatusID: &status, Activations: activations})
			time.Sleep(2 * echoFor)
			desktop.heardWhole()
			w.do(anna, htccapi.Ready, channel)
			time.Sleep(time.Second)
			got := desktop.heardWhole()
			if len(got) != 2 {
				t.Errorf("Ready on %q in %s with %v is told\n%s", channel, status, activations, strings.Join(got, "\n"))
			}
		}
	})
}

// TestWhatNobodyHearsIsNotWorkedOut changes the state of an agent without applications, and opens one: it is told
// of what happens then, and of nothing that was before.
func TestWhatNobodyHearsIsNotWorkedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTelling(t, &icwssim.Server{})
		anna := w.login("anna")
		w.shows(anna)
		time.Sleep(time.Second)
		w.do(anna, "Ready", "")
		w.do(anna, "AtLunch", "")
		time.Sleep(time.Second)
		p := anna.icws()
		p.mu.Lock()
		worked := p.view != nil
		p.mu.Unlock()
		if worked {
			t.Error("what is seen of an agent was worked out, and nobody looked")
		}
		desktop := w.open(anna, everything)
		time.Sleep(time.Second)
		desktop.hears("at first")
		w.do(anna, "AtLunch", "")
		time.Sleep(time.Second)
		desktop.hears("the same again", "device Active:NotReadyAt Lunch dnd:Off", "channels voice:NotReadyAt Lunch email:NotReadyAt Lunch")
		w.do(anna, "AtPlay", "")
		time.Sleep(time.Second)
		desktop.hears("another", "device Active:NotReadyAt Play dnd:Off", "channels voice:NotReadyAt Play email:NotReadyAt Play")
	})
}
