package store

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/proxy/session"
)

// found holds a session that a store returned to the one wanted, none if that is "".
func found(t *testing.T, what string, got session.Session, err error, wantID string) {
	t.Helper()
	if wantID == "" && !errors.Is(err, session.ErrNotFound) {
		t.Errorf("%s: %q, error %v; want ErrNotFound", what, got.ID, err)
	}
	if wantID != "" && (err != nil || got.ID != wantID) {
		t.Errorf("%s = %q, %v; want %q", what, got.ID, err, wantID)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func testSessions(t *testing.T, k kit) {
	ctx, store := t.Context(), k.sessions
	got, err := store.Get(ctx, "a1")
	found(t, "an unknown id", got, err, "")
	got, err = store.ByLogin(ctx, "anna")
	found(t, "an unknown login", got, err, "")
	_, err = store.Update(ctx, "a1", func(*session.Session) {})
	found(t, "an update of an unknown id", got, err, "")

	whole := session.Session{ID: "a1", Login: "anna", Language: "de", Proof: []byte("proof"), Created: time.Unix(1000, 0).UTC(),
		Upstreams:  map[string][]byte{"pureconnect": []byte("cookie\x00\xff")},
		Catalogues: map[string]session.Catalogue{"pureconnect": {Version: "v1", Epoch: 1 << 40, Stale: true}},
		Access:     map[string]session.Access{"pureconnect": {Known: true, IDs: "At Lunch\nAt Play", Epoch: 1}}}
	given := whole
	given.Proof, given.Upstreams = []byte("proof"), map[string][]byte{"pureconnect": whole.Upstreams["pureconnect"]}
	given.Catalogues, given.Access = maps.Clone(whole.Catalogues), maps.Clone(whole.Access)
	must(t, store.Put(ctx, given, time.Hour))
	must(t, store.Put(ctx, session.Session{ID: "b1", Login: "bjorn"}, 0))
	given.Proof[0] = 'x'
	clear(given.Upstreams)
	clear(given.Catalogues)
	clear(given.Access)
	got, err = store.Get(ctx, "a1")
	if diff := cmp.Diff(whole, got, asIs); err != nil || diff != "" {
		t.Errorf("a kept session: %v (-want +got):\n%s", err, diff)
	}
	got, err = store.ByLogin(ctx, "anna")
	found(t, "a kept login", got, err, "a1")

	must(t, store.Put(ctx, session.Session{ID: "a2", Login: "anna"}, time.Hour))
	got, err = store.Get(ctx, "a1")
	found(t, "the id of a login that has a newer session", got, err, "")
	must(t, store.Delete(ctx, "a1"))
	got, err = store.ByLogin(ctx, "anna")
	found(t, "a login whose older session was deleted", got, err, "a2")

	for range 2 { // deleting twice is no error
		must(t, store.Delete(ctx, "a2"))
	}
	got, err = store.Get(ctx, "a2")
	found(t, "a deleted id", got, err, "")
	got, err = store.ByLogin(ctx, "bjorn")
	found(t, "another agent's session", got, err, "b1")
	n, err := store.Len(ctx)
	if n != 1 || err != nil {
		t.Errorf("Len = %d, %v; want 1", n, err)
	}
}

// asIs compares what Session.Format does not print.
var asIs = cmp.Transformer("whole", func(s session.Session) map[string]any {
	return map[string]any{"id": s.ID, "login": s.Login, "language": s.Language, "proof": string(s.Proof), "created": s.Created,
		"upstreams": s.Upstreams, "catalogues": s.Catalogues, "access": s.Access}
})

func testLives(t *testing.T, k kit) {
	ctx, store := t.Context(), k.sessions
	must(t, store.Put(ctx, session.Session{ID: "a1", Login: "anna"}, time.Hour))
	must(t, store.Put(ctx, session.Session{ID: "b1", Login: "bjorn"}, 0))
	expire := func(what, id string, want bool) {
		t.Helper()
		got, err := store.Expire(ctx, id)
		if err != nil || got != want {
			t.Errorf("%s: Expire = %v, %v; want %v", what, got, err, want)
		}
	}
	k.pass(50 * time.Minute)
	expire("a session that lives", "a1", false)
	must(t, store.Touch(ctx, "a1", time.Hour))
	k.pass(50 * time.Minute)
	got, err := store.Get(ctx, "a1")
	found(t, "one that was touched", got, err, "a1")
	k.pass(11 * time.Minute)
	got, err = store.Get(ctx, "a1")
	found(t, "one whose life is over", got, err, "")
	got, err = store.ByLogin(ctx, "anna")
	found(t, "its login", got, err, "")
	found(t, "one that is touched too late", got, store.Touch(ctx, "a1", time.Hour), "")
	_, err = store.Update(ctx, "a1", func(*session.Session) {})
	found(t, "one that is updated too late", got, err, "")
	expire("the first who finds it idle", "a1", true)
	expire("the second", "a1", false)
	expire("an unknown session", "c1", false)
	expire("a session without end", "b1", false)
	k.pass(10000 * time.Hour)
	got, err = store.Get(ctx, "b1")
	found(t, "a session without end, later", got, err, "b1")
}

func testCreate(t *testing.T, k kit) {
	ctx, store := t.Context(), k.sessions
	const replicas = 8
	kept := make([]session.Session, replicas)
	var work sync.WaitGroup
	for i := range replicas {
		work.Go(func() {
			kept[i], _ = store.Create(ctx, session.Session{ID: fmt.Sprint("a", i), Login: "anna"}, time.Hour)
		})
	}
	work.Wait()
	first, err := store.ByLogin(ctx, "anna")
	must(t, err)
	for i, one := range kept {
		found(t, fmt.Sprint("the session that replica ", i, " is told of"), one, nil, first.ID)
	}
	for i := range replicas {
		want := ""
		if id := fmt.Sprint("a", i); id == first.ID {
			want = id
		}
		got, err := store.Get(ctx, fmt.Sprint("a", i))
		found(t, "a session that was created together with others", got, err, want)
	}
	k.pass(2 * time.Hour)
	got, err := store.Create(ctx, session.Session{ID: "later", Login: "anna"}, time.Hour)
	found(t, "one created when the other's life is over", got, err, "later")
}

func testUpdate(t *testing.T, k kit) {
	ctx, store := t.Context(), k.sessions
	must(t, store.Put(ctx, session.Session{ID: "a1", Login: "anna", Upstreams: map[string][]byte{}}, time.Hour))
	const replicas = 4
	var work sync.WaitGroup
	for i := range replicas {
		work.Go(func() {
			_, err := store.Update(ctx, "a1", func(s *session.Session) { s.Upstreams[fmt.Sprint("site", i)] = []byte{byte(i)} })
			if err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	got, err := store.Get(ctx, "a1")
	if err != nil || len(got.Upstreams) != replicas {
		t.Errorf("%d replicas changed a session side by side and %d changes are kept, %v", replicas, len(got.Upstreams), err)
	}
	k.pass(59 * time.Minute)
	var began, ended int64
	is, err := store.Update(ctx, "a1", func(s *session.Session) { began, s.Proof = s.Now, []byte("new") })
	if err != nil || string(is.Proof) != "new" || is.Now != 0 {
		t.Errorf("Update = %q, %v, with the time %d; want what it made without", is.Proof, err, is.Now)
	}
	k.pass(time.Minute - time.Second)
	_, err = store.Update(ctx, "a1", func(s *session.Session) { ended = s.Now })
	must(t, err)
	if passed := time.Duration(ended-began) * time.Millisecond; passed < 59*time.Second || passed > 59*time.Second+k.slack {
		t.Errorf("between two changes a minute apart the store's clock went on by %v", passed)
	}
	k.pass(time.Second)
	_, err = store.Get(ctx, "a1")
	found(t, "a session that was changed and not touched", session.Session{}, err, "")
}

// testApart changes all that is in a session, which nobody notices who got it before.
func testApart(t *testing.T, k kit) {
	ctx, store := t.Context(), k.sessions
	const site = "pureconnect"
	of := func(text string) session.Session {
		return session.Session{ID: "a1", Login: "anna", Proof: []byte(text), Upstreams: map[string][]byte{site: []byte(text)},
			Catalogues: map[string]session.Catalogue{site: {Version: text}}, Access: map[string]session.Access{site: {IDs: text}},
			Wishes: map[string][]byte{site: []byte(text)}, Asked: map[string]int64{site: int64(len(strings.TrimSpace(text)))}}
	}
	must(t, store.Put(ctx, of("before"), time.Hour))
	got, err := store.Get(ctx, "a1")
	must(t, err)
	is, err := store.Update(ctx, "a1", func(s *session.Session) {
		copy(s.Proof, "after ")
		s.Upstreams[site], s.Wishes[site], s.Asked[site] = []byte("after "), []byte("after "), 5
		s.Catalogues[site], s.Access[site] = session.Catalogue{Version: "after "}, session.Access{IDs: "after "}
	})
	must(t, err)
	if diff := cmp.Diff(of("before"), got); diff != "" {
		t.Errorf("who got it before (-then +now):\n%s", diff)
	}
	if diff := cmp.Diff(of("after "), is); diff != "" {
		t.Errorf("Update (-want +got):\n%s", diff)
	}
}
