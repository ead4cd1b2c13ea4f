package proxy

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"portico/proxy/icws/icwssim"
)

// An entry is a status message as /me/status-messages has it.
type entry struct {
	StatusID      string
	MessageText   string
	OperationName string
	Accessible    bool
}

// catalogue reads the catalogue and returns its entries by statusId.
func (c *caller) catalogue() map[string]entry {
	c.t.Helper()
	got := c.get("/me/status-messages")
	var list struct{ StatusMessageList []entry }
	err := json.Unmarshal([]byte(got.body), &list)
	if err != nil || got.status != http.StatusOK {
		c.t.Errorf("GET /me/status-messages = %d %s (%v)", got.status, got.body, err)
	}
	entries := map[string]entry{}
	for _, one := range list.StatusMessageList {
		entries[one.StatusID] = one
	}
	return entries
}

// together runs n functions at the same time and waits for them.
func together(n int, do func(i int)) {
	var running sync.WaitGroup
	for i := range n {
		running.Go(func() { do(i) })
	}
	running.Wait()
}

func add(t testing.TB, sim *icwssim.Server, statusID string) {
	t.Helper()
	err := sim.ChangeCatalogue(icwssim.CatalogueChange{Add: []icwssim.StatusEdit{icwssim.NewStatus(statusID)}})
	if err != nil {
		t.Fatal(err)
	}
}

func TestManyReadsAreOneFetch(t *testing.T) {
	w := newDoor(t)
	add(t, w.sim, "At the dentist")
	anna := w.as("anna")
	together(100, func(int) {
		for range 10 {
			if got := anna.catalogue()["At the dentist"]; got.OperationName != "AtTheDentist" || !got.Accessible {
				t.Errorf("the status added before log-in reads %+v", got)
			}
		}
	})
	if n := w.calls(routeCatalogue); n != 1 {
		t.Errorf("1,000 reads took %d fetches; want 1", n)
	}
}

// TestOneFetchASession opens 200 sessions, whose access lists differ so that each has a form of its
// own, and reads each catalogue three times.
func TestOneFetchASession(t *testing.T) {
	for name, maxBytes := range map[string]int64{"room for all": 8 << 20, "room for ten": 10 * 6000} {
		t.Run(name, func(t *testing.T) {
			w := newDoor(t, func(k *knobs) { k.gateway.MaxBytes = maxBytes })
			const sessions = 200
			for i := range sessions {
				access := accessOf(i)
				err := w.sim.SetState(icwssim.StateChange{User: agentName(i), Access: &access})
				if err != nil {
					t.Fatal(err)
				}
			}
			for range 3 {
				together(20, func(part int) {
					for i := part; i < sessions; i += 20 {
						checkAccess(t, w.as(agentName(i)).catalogue(), accessOf(i))
					}
				})
			}
			if n := w.calls(routeCatalogue); n != sessions {
				t.Errorf("%d sessions took %d fetches; want one each", sessions, n)
			}
			if n := w.calls(routeLogin); n != sessions {
				t.Errorf("%d sessions took %d log-ins; want one each", sessions, n)
			}
		})
	}
}

func agentName(i int) string { return fmt.Sprintf("agent%04d", i+1) }

// accessOf returns an access list that no other i below 256 has.
func accessOf(i int) []string {
	access := []string{"Available", "Available, No ACD"}
	for bit, id := range []string{"At Lunch", "At Play", "Gone Home", "In a meeting", "On Vacation", "Out of Town", "Away from desk", "Follow Up"} {
		if i>>bit&1 == 1 {
			access = append(access, id)
		}
	}
	return access
}

func checkAccess(t *testing.T, entries map[string]entry, access []string) {
	t.Helper()
	for id, one := range entries {
		if one.Accessible != slices.Contains(access, id) {
			t.Errorf("status %q of an agent with access to %q reads accessible: %v", id, access, one.Accessible)
		}
	}
	if len(entries) != 17 {
		t.Errorf("%d statuses; want 17", len(entries))
	}
}

func TestCatalogueFollowsTheSite(t *testing.T) {
	w := newDoor(t)
	anna := w.as("anna")
	before := anna.get("/me/status-messages")
	add(t, w.sim, "At the dentist")
	eventually(t, "a status added may be chosen", func() bool { return anna.catalogue()["At the dentist"].Accessible }) // which another message says
	after := anna.get("/me/status-messages", "If-None-Match", before.header.Get("Etag"))
	if after.status != http.StatusOK || after.header.Get("Etag") == before.header.Get("Etag") {
		t.Errorf("after the change = %d, ETag %s; want 200 and another than %s", after.status, after.header.Get("Etag"), before.header.Get("Etag"))
	}
	anna.operate("/me", "AtTheDentist")
	err := w.sim.ChangeCatalogue(icwssim.CatalogueChange{Remove: []string{"At Play"}})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "a status removed is gone", func() bool { _, there := anna.catalogue()["At Play"]; return !there })
	if n := w.calls(routeCatalogue); n != 1 {
		t.Errorf("%d fetches; want 1", n)
	}
}

func TestLanguages(t *testing.T) {
	w := newDoor(t)
	for i, test := range []struct{ accept, want string }{{"de", "Mittagspause"}, {"de-AT,en;q=0.5", "Mittagspause"}, {"fr, de;q=0.1", "Mittagspause"},
		{"en-GB", "At Lunch"}, {"fr", "At Lunch"}, {"", "At Lunch"}, {"!", "At Lunch"}} {
		accept, want := test.accept, test.want
		if got := w.as(agentName(i), "Accept-Language", accept).catalogue()["At Lunch"].MessageText; got != want {
			t.Errorf("Accept-Language %q: At Lunch reads %q; want %q", accept, got, want)
		}
	}
}

func TestAccessLists(t *testing.T) {
	access := []string{"Available", "Available, No ACD", "At Play"}
	w := newDoor(t, func(k *knobs) {
		k.sim = &icwssim.Server{Users: []icwssim.User{
			{ID: "anna", Password: "anna", Access: access, Activations: map[string]bool{"Sales": true}},
			{ID: "cleo", Password: "cleo", Activations: map[string]bool{"Sales": true}}}}
	})
	anna, cleo := w.as("anna"), w.as("cleo")
	if annas, cleos := anna.catalogue(), cleo.catalogue(); annas["At Lunch"].Accessible || !cleos["At Lunch"].Accessible || !annas["At Play"].Accessible {
		t.Errorf("At Lunch and At Play read %+v %+v for anna, At Lunch %+v for cleo", annas["At Lunch"], annas["At Play"], cleos["At Lunch"])
	}
	if anna.get("/me/status-messages").header.Get("Etag") == cleo.get("/me/status-messages").header.Get("Etag") {
		t.Error("two access lists have the same ETag")
	}
	if got := anna.get("/settings/agent-states?fields=operationName").body; got !=
		`{"settings":[{"operationName":"NotReady"},{"operationName":"Offline"},{"operationName":"Ready"},{"operationName":"AtPlay"}]}` {
		t.Errorf("anna's agent states: %s", got)
	}
	anna.post("/api/v2/me", `{"operationName":"AtLunch"}`).is(t, "a state without access", 403,
		`{"statusCode":5,"statusMessage":"this agent has no access to \"AtLunch\"; allowed are: NotReady, Offline, Ready, AtPlay"}`)
	cleo.operate("/me", "AtLunch")
}

func TestRevalidation(t *testing.T) {
	w := newDoor(t)
	anna := w.as("anna")
	anna.get("/me")
	tags := map[string]string{}
	for _, path := range []string{"/me/status-messages", "/api/v2/me/status-messages"} {
		for _, encoding := range []string{"identity", "gzip"} {
			got := anna.get(path, "Accept-Encoding", encoding)
			tag := got.header.Get("Etag")
			if other, taken := tags[tag]; taken || !strings.HasPrefix(tag, `"`) {
				t.Errorf("%s as %s has the ETag %s, which %q has too or is weak", path, encoding, tag, other)
			}
			tags[tag] = path + " " + encoding
			if got.header.Get("Content-Length") != strconv.Itoa(len(got.body)) || got.header.Get("Vary") != "Accept-Encoding" ||
				got.header.Get("Cache-Control") != "private, no-cache" || got.header.Get("Warning") != "" {
				t.Errorf("%s as %s: %d bytes with %v", path, encoding, len(got.body), got.header)
			}
			for _, held := range []string{tag, "W/" + tag, `"x", ` + tag, `W/"x,y",` + tag + `,"z"`, "*"} {
				again := anna.get(path, "Accept-Encoding", encoding, "If-None-Match", held)
				if again.status != 304 || again.body != "" || again.header.Get("Etag") != tag || again.header.Get("Vary") != "Accept-Encoding" ||
					again.header.Get("Cache-Control") != "private, no-cache" || again.header.Get("Content-Encoding") != "" {
					t.Errorf("%s as %s with %s = %d %v", path, encoding, held, again.status, again.header)
				}
			}
			for _, held := range []string{`"x"`, strings.Trim(tag, `"`), `W/"x"`, ``, `"`} {
				if again := anna.get(path, "Accept-Encoding", encoding, "If-None-Match", held); again.status != 200 {
					t.Errorf("%s as %s with %s = %d; want 200", path, encoding, held, again.status)
				}
			}
			head := anna.do("HEAD", path, "", append(anna.headers, "Accept-Encoding", encoding)...)
			if head.status != 200 || head.body != "" || head.header.Get("Etag") != tag || head.header.Get("Content-Length") != got.header.Get("Content-Length") {
				t.Errorf("HEAD %s as %s = %d %q %v", path, encoding, head.status, head.body, head.header)
			}
		}
	}
}

func TestCompression(t *testing.T) {
	w := newDoor(t)
	anna := w.as("anna")
	plain := anna.get("/me/status-messages", "Accept-Encoding", "identity")
	zipped := anna.get("/me/status-messages", "Accept-Encoding", "gzip, deflate, br")
	if zipped.header.Get("Content-Encoding") != "gzip" || len(zipped.body) >= len(plain.body) {
		t.Fatalf("%d bytes with %v", len(zipped.body), zipped.header)
	}
	reader, err := gzip.NewReader(strings.NewReader(zipped.body))
	if err != nil {
		t.Fatal(err)
	}
	unzipped, err := io.ReadAll(reader)
	if err != nil || string(unzipped) != plain.body {
		t.Errorf("unzipped (%v): %s\nwant %s", err, unzipped, plain.body)
	}
}

func TestStaleCatalogue(t *testing.T) {
	w := newDoor(t)
	anna := w.as("anna")
	stale := func() bool { return anna.get("/me/status-messages").header.Get("Warning") != "" }
	eventually(t, "the catalogue is kept current", func() bool { return !stale() })
	for _, fault := range []icwssim.Fault{{Route: "GET /icws/{sessionId}/messaging/messages", Status: 500}, {Scenario: "drop-stream"}} {
		err := w.sim.Fault(fault)
		if err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "a catalogue that nothing keeps current is stale", stale)
	got := anna.get("/me/status-messages")
	if got.status != 200 || got.header.Get("Warning") != `110 - "Response is Stale"` || got.header.Get("Age") == "" {
		t.Errorf("stale = %d with Warning %q, Age %q", got.status, got.header.Get("Warning"), got.header.Get("Age"))
	}
	again := anna.get("/me/status-messages", "If-None-Match", got.header.Get("Etag"))
	if again.status != 304 || again.header.Get("Age") == "" {
		t.Errorf("stale and held = %d with Age %q", again.status, again.header.Get("Age"))
	}
	w.sim.Reset()
	eventually(t, "the catalogue is proven anew", func() bool { return !stale() })
}
