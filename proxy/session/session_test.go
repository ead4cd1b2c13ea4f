package session

import (
	"bytes"
	"maps"
	"regexp"
	"testing"
)

// What every Store must do stands in proxy/store, where all of them are held to it.

func TestNewID(t *testing.T) {
	first, second := NewID(), NewID()
	if first == second {
		t.Error("two ids are the same")
	}
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`).MatchString(first) {
		t.Errorf("id %q is not 256 bits in characters that a cookie may hold", first)
	}
}

func TestWithLeavesWhatItIsGiven(t *testing.T) {
	before := map[string]int{"cloud": 1, "pureconnect": 2}
	after := With(before, "cloud", 3)
	if want := (map[string]int{"cloud": 3, "pureconnect": 2}); !maps.Equal(after, want) {
		t.Errorf("With = %v; want %v", after, want)
	}
	if want := (map[string]int{"cloud": 1, "pureconnect": 2}); !maps.Equal(before, want) {
		t.Errorf("what was given is %v afterwards; want %v still", before, want)
	}
	if none := With[int](nil, "cloud", 1); none["cloud"] != 1 {
		t.Errorf("With of nothing = %v; want cloud: 1", none)
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
