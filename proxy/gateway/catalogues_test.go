package gateway

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"portico/proxy/icws"
	"portico/proxy/icws/icwssim"
	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

// A library is a site whose catalogue, access lists and streams change by chance, and agents who read
// through a gateway meanwhile.
type library struct {
	*world
	rand    *rand.Rand
	readers map[string]*Agent // by name
	speaks  map[string]string // language by name
	away    bool              // no stream can be opened
	changes int
	history []string
}

var spoken = []string{"en-us", "de"}

// TestRandomCatalogues plays random days: after each step, what agents read is what the site holds in
// their language, with what of it they may choose, or is said to be stale.
func TestRandomCatalogues(t *testing.T) {
	for name, mode := range modes {
		for seed := range *shifts / 2 {
			t.Run(fmt.Sprintf("%s, seed %d", name, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { playLibrary(t, mode, seed) })
			})
		}
	}
}

// modes are the ways to watch and to share.
var modes = map[string]option{"each for itself": func(*Settings, *Site) {}, "shared": sharing, "service": watching, "service, heartbeats": beating}

func playLibrary(t *testing.T, mode option, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 2))
	l := &library{rand: random, readers: map[string]*Agent{}, speaks: map[string]string{}}
	l.world = newWorld(t, &icwssim.Server{}, mode, func(s *Settings, _ *Site) {
		s.MaxBytes = 10 << 10 // room for a few forms: the others are evicted all the time
	})
	for range 60 {
		l.step()
		l.check()
		if t.Failed() {
			t.Logf("history: %q", l.history)
			return
		}
	}
}

// step does one thing and lets it reach everybody whom it can reach.
func (l *library) step() {
	steps := []func() string{l.logIn, l.logIn, l.logOut, l.change, l.change, l.change, l.allow, l.breakStream, l.breakAll, l.mend, l.expire, l.purge, l.outage}
	l.history = append(l.history, steps[l.rand.IntN(len(steps))]())
	time.Sleep(time.Second)
}

func (l *library) logIn() string {
	name := agentName(l.rand.IntN(8) + 1)
	if l.readers[name] == nil {
		l.speaks[name] = spoken[l.rand.IntN(2)]
		l.readers[name] = l.loginIn(name, l.speaks[name])
		l.check() // before a reader of theirs can have told them anything
	}
	return "log in " + name + " " + l.speaks[name]
}

// anyReader returns the name of one who is logged in, "" if nobody is.
func (l *library) anyReader() string {
	var names []string
	for name := range l.readers {
		names = append(names, name)
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	return names[l.rand.IntN(len(names))]
}

func (l *library) logOut() string {
	name := l.anyReader()
	if name != "" {
		err := l.EndContactCenterSession(l.t.Context(), l.readers[name])
		if err != nil {
			l.t.Errorf("log out %s: %v", name, err)
		}
		delete(l.readers, name)
	}
	return "log out " + name
}

func (l *library) change() string {
	l.changes++
	id := fmt.Sprint("Status ", l.rand.IntN(5))
	edit := icwssim.NewStatus(id)
	edit.MessageText = fmt.Sprint(id, " as of ", l.changes)
	for _, change := range []icwssim.CatalogueChange{
		{Remove: []string{id}}, {Add: []icwssim.StatusEdit{edit}}, {Change: []icwssim.StatusEdit{edit}},
	}[l.rand.IntN(2):] {
		if l.sim.ChangeCatalogue(change) == nil {
			return fmt.Sprintf("change %d of %q", l.changes, id)
		}
	}
	return "no change of " + id
}

func (l *library) allow() string {
	name := agentName(l.rand.IntN(8) + 1)
	access := []string{"Available", "Available, No ACD", "At Lunch", "Gone Home", "In a meeting"}[:1+l.rand.IntN(5)]
	l.set(icwssim.StateChange{User: name, Access: &access})
	return fmt.Sprintf("allow %s %q", name, access)
}

func (l *library) breakStream() string {
	name := l.anyReader()
	if name != "" {
		l.fault(icwssim.Fault{Scenario: "drop-stream", User: name})
	}
	return "break the stream of " + name
}

// breakAll ends all streams, and lets none be opened.
func (l *library) breakAll() string {
	l.fault(icwssim.Fault{Route: routeMessages, Status: 503})
	l.fault(icwssim.Fault{Scenario: "drop-stream"})
	l.away = true
	return "break all streams"
}

func (l *library) mend() string {
	l.sim.Reset()
	l.away = false
	time.Sleep(time.Minute)
	return "mend"
}

func (l *library) expire() string {
	name := l.anyReader()
	if name != "" {
		l.fault(icwssim.Fault{Scenario: "expire-session", User: name})
		if !l.away {
			time.Sleep(time.Minute)
		}
	}
	return "expire the session of " + name
}

// outage has the server behind the site be lost for a moment, which all sessions outlive.
func (l *library) outage() string {
	l.fault(icwssim.Fault{Scenario: "ic-down"})
	time.Sleep(2 * time.Second)
	l.fault(icwssim.Fault{Scenario: "ic-up"})
	if !l.away {
		time.Sleep(time.Minute)
	}
	return "outage"
}

func (l *library) purge() string {
	l.forms.Purge()
	return "purge"
}

// check compares what agents read with what the site holds.
func (l *library) check() {
	for name, agent := range l.readers {
		doc, err := l.StatusMessages(l.t.Context(), agent, htccapi.DialectStatus, false, func(string) bool { return false })
		if err != nil {
			l.t.Errorf("%s: %v", name, err)
			continue
		}
		if doc.Stale {
			continue
		}
		var got struct{ StatusMessageList []entry }
		err = json.Unmarshal(doc.Body, &got)
		if err != nil {
			l.t.Fatal(err)
		}
		want := l.truth(name)
		if len(got.StatusMessageList) != len(want) {
			l.t.Errorf("%s reads %d statuses; want %d", name, len(got.StatusMessageList), len(want))
		}
		for _, one := range got.StatusMessageList {
			one.OperationName = ""
			if one != want[one.StatusID] {
				l.t.Errorf("%s reads %+v; want %+v", name, one, want[one.StatusID])
			}
		}
	}
}

// An entry is a status message as agents read it.
type entry struct {
	icwsapi.StatusMessage
	OperationName htccapi.Operation `json:"operationName"`
	Accessible    bool              `json:"accessible"`
}

// truth returns what the site holds for an agent in their language, as a supervisor reads it.
func (l *library) truth(name string) map[string]entry {
	l.t.Helper()
	client := newClient(l.sim.Transport(), prometheus.NewRegistry())
	conn, err := client.Login(l.t.Context(), icws.Credentials{UserID: "portico", Password: "portico", Language: l.speaks[name]})
	if err != nil {
		l.t.Fatal(err)
	}
	defer func() { _ = client.Logout(l.t.Context(), conn) }()
	messages, err := client.StatusMessages(l.t.Context(), conn)
	if err != nil {
		l.t.Fatal(err)
	}
	access, err := client.UserAccess(l.t.Context(), conn, name)
	if err != nil {
		l.t.Fatal(err)
	}
	truth := map[string]entry{}
	for _, message := range messages {
		truth[message.StatusID] = entry{StatusMessage: message, Accessible: slices.Contains(access, message.StatusID)}
	}
	return truth
}
