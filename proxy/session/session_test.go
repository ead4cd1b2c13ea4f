package session

import (
	"bytes"
	"errors"
	"regexp"
	"testing"
)

func TestMemory(t *testing.T) { testStore(t, NewMemory()) }

// testStore is the contract that every Store passes.
func testStore(t *testing.T, store Store) {
	t.Helper()
	ctx := t.Context()
	expect := func(what string, got Session, err error, wantID string) {
		t.Helper()
		if wantID == "" && !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: error %v; want ErrNotFound", what, err)
		}
		if wantID != "" && (err != nil || got.ID != wantID) {
			t.Errorf("%s = %q, %v; want %q", what, got.ID, err, wantID)
		}
	}
	put := func(s Session) {
		t.Helper()
		if err := store.Put(ctx, s); err != nil {
			t.Fatal(err)
		}
	}

	got, err := store.Get(ctx, "a1")
	expect("an unknown id", got, err, "")
	got, err = store.ByLogin(ctx, "anna")
	expect("an unknown login", got, err, "")

	proof := []byte("proof")
	put(Session{ID: "a1", Login: "anna", Proof: proof})
	put(Session{ID: "b1", Login: "bjorn"})
	proof[0] = 'x'
	got, err = store.Get(ctx, "a1")
	expect("a kept id", got, err, "a1")
	if !bytes.Equal(got.Proof, []byte("proof")) {
		t.Errorf("the store shares the caller's bytes: proof is %q", got.Proof)
	}
	got, err = store.ByLogin(ctx, "anna")
	expect("a kept login", got, err, "a1")

	put(Session{ID: "a2", Login: "anna"})
	got, err = store.Get(ctx, "a1")
	expect("the id of a login that has a newer session", got, err, "")
	got, err = store.ByLogin(ctx, "anna")
	expect("a login that has a newer session", got, err, "a2")

	put(Session{ID: "a2", Login: "anna.berg"})
	got, err = store.ByLogin(ctx, "anna")
	expect("a login whose session took another name", got, err, "")

	for range 2 { // deleting twice is no error
		if err := store.Delete(ctx, "a2"); err != nil {
			t.Fatal(err)
		}
	}
	got, err = store.Get(ctx, "a2")
	expect("a deleted id", got, err, "")
	got, err = store.ByLogin(ctx, "bjorn")
	expect("another agent's session", got, err, "b1")
	n, err := store.Len(ctx)
	if n != 1 || err != nil {
		t.Errorf("Len = %d, %v; want 1", n, err)
	}
}

func TestNewID(t *testing.T) {
	first, second := NewID(), NewID()
	if first == second {
		t.Error("two ids are the same")
	}
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`).MatchString(first) {
		t.Errorf("id %q is not 256 bits in characters that a cookie may hold", first)
	}
}

func TestProof(t *testing.T) {
	key := NewKey()
	same := key.Proof("anna", "secret")
	for name, other := range map[string][]byte{
		"another password":               key.Proof("anna", "Secret"),
		"another split of the same text": key.Proof("annas", "ecret"),
		"another key":                    NewKey().Proof("anna", "secret"),
	} {
		if bytes.Equal(same, other) {
			t.Errorf("%s has the same proof", name)
		}
	}
	if !bytes.Equal(same, key.Proof("anna", "secret")) {
		t.Error("the same password has two proofs")
	}
	if name := key.ShortName("abc"); len(name) != 8 || name != key.ShortName("abc") {
		t.Errorf("ShortName = %q; want 8 stable hex digits", name)
	}
}
