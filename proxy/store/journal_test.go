package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/proxy/push"
)

// entry returns an event with data.
func entry(data string) push.Entry {
	return push.Entry{ID: "id of " + data, Channel: "/v2/me/devices", Text: fmt.Appendf(nil, `{"data":%q,"channel":"/v2/me/devices"}`, data)}
}

// at returns an event as it stands at a position.
func at(position uint64, data string) push.Entry {
	e := entry(data)
	e.Position = position
	return e
}

// record returns that of a client that was not changed yet.
func record(id string) push.Record {
	return push.Record{ID: id, Browser: "b", Ack: true, Patterns: []push.Subscription{{Pattern: "/**", After: 7}}, Batch: 3, Sent: []push.Sent{{Batch: 2, Upto: 9}}}
}

// client makes a client known at a server.
func client(t *testing.T, j push.Journal, owner, id string) {
	t.Helper()
	_, err := j.Create(t.Context(), owner, record(id), 10)
	must(t, err)
}

func publish(t *testing.T, j push.Journal, owner, data string) uint64 {
	t.Helper()
	position, err := j.Append(t.Context(), owner, entry(data))
	must(t, err)
	return position
}

func testEvents(t *testing.T, k kit) {
	a, b := k.journal(), k.journal()
	if got := publish(t, a, "anna", "for nobody"); got != 0 {
		t.Errorf("Append without a client = %d; want 0", got)
	}
	client(t, b, "anna", "one")
	for i, data := range []string{"first", "second", `<&">`} {
		if got := publish(t, a, "anna", data); got != uint64(i)+1 {
			t.Errorf("Append = %d; want %d", got, i+1)
		}
	}
	if got := publish(t, a, "anna", `<&">`); got != 3 {
		t.Errorf("Append of the last entry once more = %d; want 3", got)
	}
	for _, test := range []struct {
		owner string
		after uint64
		want  push.Entries
	}{
		{"anna", 0, push.Entries{All: []push.Entry{at(1, "first"), at(2, "second"), at(3, `<&">`)}, Last: 3}},
		{"anna", 2, push.Entries{All: []push.Entry{at(3, `<&">`)}, Last: 3}},
		{"anna", 3, push.Entries{Last: 3}},
		{"cleo", 0, push.Entries{}},
	} {
		got, err := b.Since(t.Context(), test.owner, test.after)
		if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
			t.Errorf("Since(%s, %d) = %v (-want +got):\n%s", test.owner, test.after, err, diff)
		}
	}
	for _, step := range [][2]string{{"", ""}, {"ready", ""}, {"", "ready"}, {"busy", "ready"}} {
		before, err := a.Mark(t.Context(), "anna", step[0])
		if err != nil || before != step[1] {
			t.Errorf("Mark(%s) = %q, %v; want %q", step[0], before, err, step[1])
		}
	}
	marked := entry("fourth")
	marked.Mark = "away"
	_, err := b.Append(t.Context(), "anna", marked)
	must(t, err)
	before, err := a.Mark(t.Context(), "anna", "ready")
	if err != nil || before != "away" {
		t.Errorf("Mark = %q, %v; want what the event noted", before, err)
	}
}

func testClients(t *testing.T, k kit) {
	a, b := k.journal(), k.journal()
	client(t, a, "anna", "one")
	_, err := b.Create(t.Context(), "anna", record("two"), 1)
	if !errors.Is(err, push.ErrFull) {
		t.Errorf("Create beyond what may be = %v; want ErrFull", err)
	}
	for _, unknown := range [][2]string{{"anna", "two"}, {"cleo", "one"}} {
		_, _, err = b.Take(t.Context(), unknown[0], unknown[1], true)
		if !errors.Is(err, push.ErrUnknown) {
			t.Errorf("Take(%v) = %v; want ErrUnknown", unknown, err)
		}
	}
	publish(t, a, "anna", "first")
	publish(t, a, "anna", "second")
	saved := record("one")
	saved.Turn, saved.Version, saved.Seen = 1, 2, 1
	must(t, a.Save(t.Context(), "anna", saved))
	late := saved
	late.Version, late.Seen = 1, 0
	must(t, a.Save(t.Context(), "anna", late)) // was overtaken
	got, missed, err := b.Take(t.Context(), "anna", "one", true)
	want := saved
	want.Turn, got.Version, want.Version = 2, 0, 0
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("Take = %v (-want +got):\n%s", err, diff)
	}
	if diff := cmp.Diff(push.Entries{All: []push.Entry{at(2, "second")}, Last: 2}, missed); diff != "" {
		t.Errorf("missed events (-want +got):\n%s", diff)
	}
	err = a.Save(t.Context(), "anna", saved)
	if !errors.Is(err, push.ErrUnknown) {
		t.Errorf("Save of who lost the client = %v; want ErrUnknown", err)
	}
	last, lost, err := a.Renew(t.Context(), "anna", map[string]uint64{"one": 1, "two": 1})
	if err != nil || last != 2 || len(lost) != 2 {
		t.Errorf("Renew of who lost the client = %d, %v, %v; want 2, both, nil", last, lost, err)
	}
	last, lost, err = b.Renew(t.Context(), "anna", map[string]uint64{"one": 2})
	if err != nil || last != 2 || len(lost) != 0 {
		t.Errorf("Renew = %d, %v, %v; want 2, none, nil", last, lost, err)
	}
	must(t, a.Remove(t.Context(), "anna", "one", 1)) // not in its turn
	must(t, b.Save(t.Context(), "anna", got))
	must(t, b.Remove(t.Context(), "anna", "one", 2))
	_, _, err = a.Take(t.Context(), "anna", "one", true)
	if !errors.Is(err, push.ErrUnknown) {
		t.Errorf("Take of a client that was removed = %v; want ErrUnknown", err)
	}
}

// hearing returns what a server is told, from the moment when it is heard.
func hearing(t *testing.T, j push.Journal) <-chan push.Notice {
	t.Helper()
	heard := make(chan push.Notice, 100)
	goes(t, j, heard)
	if _, inMemory := j.(*push.MemoryEnd); !inMemory {
		next(t, heard, push.Notice{Missed: true}) // it begins to listen
	}
	return heard
}

// goes has notices go to a channel until the test ends.
func goes(t *testing.T, j push.Journal, heard chan<- push.Notice) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- j.Listen(ctx, func(n push.Notice) { heard <- n }) }()
	t.Cleanup(func() {
		cancel()
		must(t, <-ended)
	})
}

// next expects a notice.
func next(t *testing.T, heard <-chan push.Notice, want push.Notice) {
	t.Helper()
	select {
	case got := <-heard:
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("notice (-want +got):\n%s", diff)
		}
	case <-time.After(10 * time.Second):
		t.Errorf("no notice; want %v", want)
	}
}

func testNotices(t *testing.T, k kit) {
	a, b := k.journal(), k.journal()
	atA, atB := hearing(t, a), hearing(t, b)
	client(t, a, "anna", "one")
	client(t, b, "anna", "two")
	client(t, b, "cleo", "three")
	publish(t, a, "anna", "first") // a knows of itself
	first := at(1, "first")
	next(t, atB, push.Notice{Owner: "anna", Event: &first})
	publish(t, b, "anna", "second")
	second := at(2, "second")
	next(t, atA, push.Notice{Owner: "anna", Event: &second})
	late := entry("late")
	late.Had = []push.Had{{Client: "one"}, {Client: "two", Batch: 7}}
	_, err := a.Append(t.Context(), "anna", late)
	must(t, err)
	late.Position = 3
	next(t, atB, push.Notice{Owner: "anna", Event: &late})
	found, err := b.Since(t.Context(), "anna", 2)
	if diff := cmp.Diff(push.Entries{All: []push.Entry{late}, Last: 3}, found); err != nil || diff != "" {
		t.Errorf("Since = %v (-want +got):\n%s", err, diff)
	}
	publish(t, a, "cleo", "hers")
	hers := at(1, "hers")
	next(t, atB, push.Notice{Owner: "cleo", Event: &hers})
	_, _, err = b.Take(t.Context(), "anna", "one", true)
	must(t, err)
	next(t, atA, push.Notice{Owner: "anna", Client: "one", Turn: 2, Connecting: true})
	_, _, err = b.Take(t.Context(), "anna", "one", true) // from itself
	must(t, err)
	_, _, err = a.Take(t.Context(), "anna", "two", false)
	must(t, err)
	next(t, atB, push.Notice{Owner: "anna", Client: "two", Turn: 2})
	must(t, a.End(t.Context(), "anna", push.None))
	next(t, atB, push.Notice{Owner: "anna", Ended: true, Advice: push.None})
}

func testEnds(t *testing.T, k kit) {
	a, b := k.journal(), k.journal()
	client(t, a, "anna", "one")
	publish(t, a, "anna", "first")
	must(t, b.End(t.Context(), "anna", push.Handshake))
	if got := publish(t, b, "anna", "second"); got != 0 {
		t.Errorf("Append after the end = %d; want 0: nobody is left", got)
	}
	_, _, err := b.Take(t.Context(), "anna", "one", true)
	if !errors.Is(err, push.ErrUnknown) {
		t.Errorf("Take after the end = %v; want ErrUnknown", err)
	}
	_, lost, err := a.Renew(t.Context(), "anna", map[string]uint64{"one": 9})
	if err != nil || len(lost) != 1 {
		t.Errorf("Renew of another turn = %v, %v; want it lost", lost, err)
	}
}

func TestClientsOfServersThatDiedAreForgotten(t *testing.T) {
	v := startServer(t).open(t, func(*Settings) {})
	j := v.Journal()
	client(t, j, "anna", "one")
	v.ahead.Add(clientLife.Milliseconds() / 2)
	if got := publish(t, j, "anna", "first"); got != 1 {
		t.Errorf("Append = %d; want 1", got)
	}
	v.ahead.Add(clientLife.Milliseconds())
	if got := publish(t, j, "anna", "second"); got != 0 {
		t.Errorf("Append when nobody renewed the client = %d; want 0", got)
	}
}

// A server that works while its clients were not renewed in time renews them, for it has them.
func TestAnEventWhoseClientsWereNotRenewedInTime(t *testing.T) {
	v := startServer(t).open(t, nil)
	s := push.New(push.Options{Journal: v.Journal(), TrustClientSession: true})
	say := func(messages string) string {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(messages))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		must(t, s.Serve(w, r, "anna"))
		return w.Body.String()
	}
	var replies []struct{ ClientID string }
	must(t, json.Unmarshal([]byte(say(`[{"channel":"/meta/handshake","version":"1.0"}]`)), &replies))
	id := replies[0].ClientID
	say(fmt.Sprintf(`[{"channel":"/meta/subscribe","clientId":%q,"subscription":"/**"}]`, id))
	v.ahead.Add(2 * clientLife.Milliseconds())
	must(t, s.PublishAll("anna", push.Publication{Channel: "/v2/me/devices", Data: "ready", Received: time.Now()}))
	got := say(fmt.Sprintf(`[{"channel":"/meta/connect","clientId":%q,"connectionType":"long-polling","advice":{"timeout":0}}]`, id))
	if !strings.Contains(got, `"data":"ready"`) {
		t.Errorf("connect = %s; want the event", got)
	}
}

func TestAClientThatIsSavedIsNotForgotten(t *testing.T) {
	v := startServer(t).open(t, nil)
	j := v.Journal()
	client(t, j, "anna", "one")
	saved := record("one")
	saved.Turn, saved.Version = 1, 1
	v.ahead.Add(clientLife.Milliseconds() * 2 / 3)
	must(t, j.Save(t.Context(), "anna", saved))
	v.ahead.Add(clientLife.Milliseconds() * 2 / 3)
	if got := publish(t, j, "anna", "first"); got != 1 {
		t.Errorf("Append = %d; want 1", got)
	}
}

func TestNobodyReadsOrForgesEvents(t *testing.T) {
	server := startServer(t)
	j := server.open(t, func(*Settings) {}).Journal()
	client(t, j, "canary-anna", "canary-one")
	client(t, j, "cleo", "two")
	publish(t, j, "canary-anna", "canary-secret")
	for _, key := range []string{boardKey("canary-anna"), eventsKey("canary-anna"), clientKey("canary-anna", "canary-one")} {
		if strings.Contains(key+server.cli(t, "DUMP", key), "canary") {
			t.Errorf("%s tells a secret", key)
		}
		if server.admin.TTL(t.Context(), key).Val() <= 0 {
			t.Errorf("%s stays for ever", key)
		}
	}
	must(t, server.admin.Copy(t.Context(), eventsKey("canary-anna"), eventsKey("cleo"), 0, true).Err())
	found, err := j.Since(t.Context(), "cleo", 0)
	if !errors.Is(err, errSealed) {
		t.Errorf("Since of another's events = %v, %v; want errSealed", found, err)
	}
}

// A client that cannot be read is none, or it would be asked to come again for ever.
func TestAClientThatWasSealedWithAnotherKey(t *testing.T) {
	server := startServer(t)
	client(t, server.open(t, nil).Journal(), "anna", "one")
	other := server.open(t, keyed(bytes.Repeat([]byte{9}, keySize)))
	_, _, err := other.Journal().Take(t.Context(), "anna", "one", true)
	if !errors.Is(err, push.ErrUnknown) {
		t.Errorf("Take = %v; want ErrUnknown", err)
	}
}
