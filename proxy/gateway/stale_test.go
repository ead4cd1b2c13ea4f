package gateway

import (
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/icws/icwssim"
	"portico/translate"
	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

const routeMessages = "GET /icws/{sessionId}/messaging/messages"

func TestAReadThatComesLateDoesNotHideWhatWasPushed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		anna := w.login("anna")
		w.shows(anna)
		time.Sleep(time.Second)
		w.fault(icwssim.Fault{Route: routeGetStatus, Delay: 4 * time.Second, After: true, Times: 1})
		w.fault(icwssim.Fault{Scenario: "drop-stream"})
		synctest.Wait()
		late := make(chan string, 1)
		go func() { late <- w.shows(anna) }()
		time.Sleep(3 * time.Second)
		w.set(icwssim.StateChange{User: "anna", StatusID: ptr("At Lunch"), Activations: map[string]bool{"Mail": true}})
		const want = "voice:NotReadyAt Lunch email:NotReadyAt Lunch Active dnd:Off"
		if got := <-late; got != want {
			t.Errorf("the late read shows %q; want %q", got, want)
		}
		w.expect(anna, "afterwards", want)
	})
}

func TestAFailedReadDoesNotHideASiteThatIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		anna := w.login("anna")
		w.shows(anna)
		time.Sleep(time.Second)
		w.fault(icwssim.Fault{Route: routeGetStatus, Scenario: "hang", Delay: 3 * time.Second, Times: 1})
		w.fault(icwssim.Fault{Scenario: "drop-stream"})
		synctest.Wait()
		w.shows(anna)
		w.expect(anna, "after the read failed and the stream is back", "voice:NotReady email:NotReady Active dnd:Off")
	})
}

func TestARefusedSubscriptionIsMadeUpForByReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		w.fault(icwssim.Fault{Route: "PUT /icws/{sessionId}/messaging/subscriptions/activations/users/{subId}", Status: 404})
		anna := w.login("anna")
		w.do(anna, htccapi.Ready, "")
		time.Sleep(5 * time.Second)
		w.set(icwssim.StateChange{User: "anna", Activations: map[string]bool{"Mail": false}})
		w.expect(anna, "after another client's change that nothing tells of", "voice:Ready email:NotReady Active dnd:Off")
	})
}

func TestAListThatNothingKeepsCurrentIsStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{}, func(_ *Settings, s *Site) { s.StaleIfError = time.Hour })
		w.fault(icwssim.Fault{Route: "PUT /icws/{sessionId}/messaging/subscriptions/status/status-messages", Status: 404})
		anna := w.login("anna")
		time.Sleep(time.Second)
		doc := w.document(anna)
		if !doc.Stale {
			t.Error("a catalogue that nothing keeps current is served as fresh")
		}
		renamed := icwssim.StockStatusMessages()
		at := slices.IndexFunc(renamed, func(m icwsapi.StatusMessage) bool { return m.StatusID == "At Lunch" })
		renamed[at].MessageText = "Out to lunch"
		err := w.sim.ChangeCatalogue(icwssim.CatalogueChange{Change: []icwssim.StatusEdit{{StatusMessage: renamed[at]}}})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(29 * time.Minute)
		w.shows(anna)
		w.login("anna") // it is in use
		if w.document(anna).ETag != doc.ETag {
			t.Error("the catalogue changed without a fetch")
		}
		time.Sleep(29 * time.Minute)
		w.login("anna")
		time.Sleep(3 * time.Minute)
		if w.document(anna).ETag == doc.ETag {
			t.Error("after stale_if_error the old catalogue is still served")
		}
		list, err := w.AgentStates(t.Context(), anna)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range list {
			var state htccapi.AgentStateSetting
			w.decode(one, &state)
			if state.OperationName == "AtLunch" && state.DisplayName != "Out to lunch" {
				t.Errorf("the states still have %q, which the new catalogue has not", state.DisplayName)
			}
		}
	})
}

// document returns the agent's catalogue.
func (w *world) document(a *Agent) Document {
	w.t.Helper()
	doc, err := w.StatusMessages(w.t.Context(), a, htccapi.DialectStatus, false, func(string) bool { return false })
	if err != nil {
		w.t.Fatal(err)
	}
	return doc
}

func TestAMessageThatCannotBeReadIsMadeGoodFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{MessagingVersion: 1})
		anna := w.login("anna")
		w.shows(anna)
		time.Sleep(10 * time.Second)
		w.set(icwssim.StateChange{User: "anna", StatusID: ptr("At Lunch")})
		w.fault(icwssim.Fault{Route: routeMessages, Body: `[{"__type":"urn:inin.com:status:userStatusMessage","isDelta":true,"userStatusList":5}]`, After: true, Times: 1})
		time.Sleep(20 * time.Second)
		w.expect(anna, "after a message was lost", "voice:NotReadyAt Lunch email:NotReadyAt Lunch Active dnd:Off")
		before := w.sim.Calls()[routeGetStatus]
		w.shows(anna)
		if got := w.sim.Calls()[routeGetStatus]; got != before {
			t.Errorf("a read took %d calls; want none", got-before)
		}
	})
}

func TestAPlanIsNotMadeOnAnOldState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		anna := w.login("anna")
		w.shows(anna)
		time.Sleep(5 * time.Second)
		w.fault(icwssim.Fault{Route: routeMessages, Status: 500})
		w.fault(icwssim.Fault{Scenario: "drop-stream"})
		time.Sleep(5 * time.Second)
		w.set(icwssim.StateChange{User: "anna", Activations: map[string]bool{"Mail": true}})
		w.do(anna, htccapi.Ready, htccapi.Voice)
		time.Sleep(time.Second)
		state, err := w.sim.State("anna")
		if err != nil || state.Activations["Mail"] || !state.Activations["Sales"] {
			t.Errorf("anna, who asked for voice, has %v (%v)", state.Activations, err)
		}
	})
}

func TestACatalogueInPartsReplacesTheOldAsAWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		anna := w.login("anna")
		w.do(anna, "AtLunch", "")
		time.Sleep(time.Second)
		stock := icwssim.StockStatusMessages()
		part := func(isDelta bool, messages ...icwsapi.StatusMessage) {
			anna.icws().receiveMessage(icwsapi.StatusMessagesMessage{Head: icwsapi.Head{IsDelta: isDelta}, StatusMessagesAdded: messages})
		}
		const lunch = "voice:NotReadyAt Lunch email:NotReadyAt Lunch Active dnd:Off"
		part(false, stock[0])
		w.expect(anna, "after the first part", lunch)
		w.do(anna, htccapi.NotReady, "")
		w.do(anna, "AtLunch", "")
		part(true, stock[1:]...)
		w.expect(anna, "after the last part", lunch)
		time.Sleep(time.Second)
		w.expect(anna, "later", lunch)
		if got := w.document(anna); got.Stale {
			t.Error("the catalogue is stale after a full list of it")
		}
		part(false, stock[0])
		time.Sleep(time.Second)
		list, err := w.AgentStates(t.Context(), anna)
		if err != nil || len(list) > 2 {
			t.Errorf("%d states after a catalogue of one status (%v); want Offline and it", len(list), err)
		}
	})
}

// What of a catalogue the agent may choose is as much of what they read as the rest.
func TestAnAccessListThatNothingKeepsCurrentIsStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		w, _ := fleet.replica(t, sharing)
		other, _ := fleet.replica(t, sharing)
		w.fault(icwssim.Fault{Route: "PUT /icws/{sessionId}/messaging/subscriptions/status/status-messages-user-access", Status: 404})
		anna := w.login("anna")
		if w.document(anna).Stale {
			t.Error("what was asked for just now is served as stale")
		}
		inStep()
		other.document(other.cookie(anna.SessionID())) // learns of it
		time.Sleep(justRead)
		for where, doc := range map[string]Document{"where the agent is read": w.document(anna), "elsewhere": other.document(other.cookie(anna.SessionID()))} {
			if !doc.Stale {
				t.Errorf("%s: an access list that nothing keeps current is served as fresh", where)
			}
		}
		_, quick := w.StatusMessagesAtHand(anna, htccapi.DialectStatus, false, func(string) bool { return false })
		if quick {
			t.Error("one is served without a look, and so without a warning")
		}
	})
}

// TestWhoReadNoMoreKnowsThatTheListsAreCurrent has the lease to read move to another replica.
func TestWhoReadNoMoreKnowsThatTheListsAreCurrent(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fleet := newShared()
				a, line := fleet.replica(t, mode)
				b, _ := fleet.replica(t, mode)
				anna := a.login("anna")
				a.document(anna)
				settle()
				atB := b.cookie(anna.SessionID())
				b.document(atB)
				line.cut.Store(true)
				for !atB.leased.Load() {
					time.Sleep(time.Second)
				}
				line.cut.Store(false)
				time.Sleep(30 * time.Second)
				again := a.cookie(anna.SessionID())
				again.expectReads(t, "where the store was away", false)
				if doc := a.document(again); doc.Stale {
					t.Errorf("a catalogue that another replica keeps current is stale, for %v", doc.Age)
				}
			})
		})
	}
}

// A change that is followed while another one comes must not take that back.
func TestListsThatChangeTogetherAreBothFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		p := w.login("anna").icws()
		settle()
		p.mu.Lock()
		var work sync.WaitGroup
		work.Go(p.redirect)
		for range 1000 { // it is at the mutex by then
			runtime.Gosched()
		}
		p.lists.access.Replace(translate.NewAccess([]string{"Available"}))
		p.mu.Unlock()
		work.Wait()
		p.mu.Lock()
		defer p.mu.Unlock()
		if got := p.directory.Access.IDs(); len(got) != 1 {
			t.Errorf("names are looked up in a list of before: %q", got)
		}
	})
}
