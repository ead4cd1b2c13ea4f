package gateway

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/catalogues"
	"portico/proxy/icws/icwssim"
	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

func sharing(_ *Settings, s *Site) { s.ShareCatalogue = true }

// loginIn logs an agent in whose application prefers a language.
func (w *world) loginIn(name, language string) *Agent {
	w.t.Helper()
	agent, err := w.Login(w.t.Context(), Caller{Basic: true, Login: name, Password: name, Language: language})
	if err != nil {
		w.t.Fatal(err)
	}
	return agent
}

// reads returns ids and texts of the catalogue that an agent reads, and whether it is said to be
// stale.
func (w *world) reads(a *Agent) ([]string, bool) {
	w.t.Helper()
	doc, err := w.StatusMessages(w.t.Context(), a, htccapi.DialectStatus, false, func(string) bool { return false })
	if err != nil {
		w.t.Fatal(err)
	}
	var list icwsapi.StatusMessages
	err = json.Unmarshal(doc.Body, &list)
	if err != nil {
		w.t.Fatal(err)
	}
	var entries []string
	for _, message := range list.StatusMessageList {
		entries = append(entries, message.StatusID+"="+message.MessageText)
	}
	return entries, doc.Stale
}

// fetches holds the number of catalogue fetches to want.
func (w *world) fetches(when string, want int) {
	w.t.Helper()
	if got := w.sim.Calls()[routeCatalogue]; got != want {
		w.t.Errorf("%s: %d fetches of the catalogue; want %d", when, got, want)
	}
}

func (w *world) add(statusID string) {
	w.t.Helper()
	err := w.sim.ChangeCatalogue(icwssim.CatalogueChange{Add: []icwssim.StatusEdit{icwssim.NewStatus(statusID)}})
	if err != nil {
		w.t.Fatal(err)
	}
}

// has holds what an agent reads to contain a status, and to be fresh.
func (w *world) has(a *Agent, when, statusID string) {
	w.t.Helper()
	entries, stale := w.reads(a)
	if stale || !slices.ContainsFunc(entries, func(entry string) bool { return entry == statusID+"="+statusID }) {
		w.t.Errorf("%s: %s reads %q, stale %v; want %q in it, fresh", when, a.Login(), entries, stale, statusID)
	}
}

func TestASharedCatalogueIsFetchedOnceALanguage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{}, sharing)
		w.add("At Sea")
		agents := make([]*Agent, 200)
		var work sync.WaitGroup
		for n := range agents {
			work.Go(func() {
				agents[n] = w.loginIn(agentName(n+1), []string{"en-us", "de"}[n%2])
				w.has(agents[n], "at once", "At Sea")
			})
		}
		work.Wait()
		w.fetches("200 log-ins at once", 2)
		german, _ := w.reads(agents[1])
		english, _ := w.reads(agents[0])
		if slices.Equal(german, english) {
			t.Error("a German session reads what an English one does")
		}
		time.Sleep(time.Second)
		w.add("At Play Again")
		time.Sleep(time.Second)
		for _, agent := range agents[:4] {
			w.has(agent, "after a change", "At Play Again")
		}
		w.has(w.loginIn("agent0300", "de"), "logged in after the change", "At Play Again")
		w.fetches("a change, and a log-in after it", 2)
	})
}

// While nobody proves the catalogue, each session falls back to its own.
func TestACatalogueThatNobodyProvesIsNotShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{}, sharing)
		w.fault(icwssim.Fault{Route: routeSubscribeCatalogue, Status: 404})
		for n := range 3 {
			agent := w.login(agentName(n + 1))
			time.Sleep(time.Second)
			w.add(fmt.Sprint("At Sea ", n))
			w.reads(agent)
		}
		w.fetches("three log-ins without a subscription", 3)
	})
}

// A session that was to fetch for others, and does not come to it, holds them up for a moment only.
func TestALeaderThatHangsHoldsNobodyUpForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{}, sharing)
		w.fault(icwssim.Fault{Route: routeCatalogue, Scenario: "hang", Times: 1})
		w.login("agent0001")
		time.Sleep(time.Second)
		began := time.Now()
		w.reads(w.login("agent0002"))
		if took := time.Since(began); took > catalogues.ProofWithin+time.Second {
			t.Errorf("the second agent waited for %v; want at most %v", took, catalogues.ProofWithin)
		}
	})
}

// A break of one stream is no doubt while another proves the same, and that of all is.
func TestTheNextProves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{}, sharing)
		one, two := w.login("agent0001"), w.login("agent0002")
		time.Sleep(time.Second)
		w.fault(icwssim.Fault{Route: routeMessages, Status: 503})
		for _, agent := range []*Agent{one, two} {
			if held, _ := one.icws().lists.catalogue.Snapshot(); held.Stale() {
				t.Errorf("the catalogue is stale before the stream of %s broke", agent.Login())
			}
			w.fault(icwssim.Fault{Scenario: "drop-stream", User: agent.Login()})
			time.Sleep(time.Second)
		}
		if _, stale := w.reads(one); !stale {
			t.Error("the catalogue is fresh though no stream lives")
		}
		w.sim.Reset()
		w.add("At Sea")
		time.Sleep(time.Minute)
		w.has(one, "streams are back", "At Sea")
		w.has(w.login("agent0003"), "a log-in then", "At Sea")
		if n := w.sim.Calls()[routeCatalogue]; n != 0 { // since the reset
			t.Errorf("%d fetches after the break; want none", n)
		}
	})
}

// TestACatalogueIsSharedAfterAnOutage has the server behind the site be lost for a moment, which all sessions outlive.
func TestACatalogueIsSharedAfterAnOutage(t *testing.T) {
	for name, mode := range map[string]option{"shared": sharing, "service": watching, "service, heartbeats": beating} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, &icwssim.Server{}, mode)
				agents := []*Agent{w.login("agent0001"), w.login("agent0002")}
				for _, agent := range agents {
					w.reads(agent)
				}
				time.Sleep(time.Second)
				w.fault(icwssim.Fault{Scenario: "ic-down"})
				time.Sleep(2 * time.Second)
				w.fault(icwssim.Fault{Scenario: "ic-up"})
				time.Sleep(time.Minute)
				before := w.sim.Calls()[routeCatalogue]
				w.add("At Sea")
				time.Sleep(time.Second)
				for _, agent := range agents {
					w.has(agent, "a change after the outage", "At Sea")
				}
				w.has(w.login("agent0003"), "a log-in after the outage", "At Sea")
				if n := w.sim.Calls()[routeCatalogue] - before; n != 0 {
					t.Errorf("%d fetches after the outage; want none", n)
				}
			})
		})
	}
}
