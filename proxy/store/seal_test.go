package store

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"portico/cache"
	"portico/proxy/session"
)

func key(b byte) []byte { return bytes.Repeat([]byte{b}, keySize) }

func keyed(keys ...[]byte) func(*Settings) { return func(s *Settings) { s.Keys = keys } }

func TestTheFirstKeySealsAndAllOpen(t *testing.T) {
	server := startServer(t)
	before, both, after, stranger := server.open(t, keyed(key(1))), server.open(t, keyed(key(1), key(2))), server.open(t, keyed(key(2), key(1))), server.open(t, keyed(key(3)))
	ctx := t.Context()
	must(t, before.Sessions().Put(ctx, session.Session{ID: "a1", Login: "anna"}, time.Hour))
	got, err := after.Sessions().Get(ctx, "a1")
	found(t, "a session sealed with the second key", got, err, "a1")
	got, err = stranger.Sessions().Get(ctx, "a1")
	if err == nil || !strings.Contains(err.Error(), errSealed.Error()) {
		t.Errorf("without its key: %q, %v; want %v", got.ID, err, errSealed)
	}
	_, err = after.Sessions().Update(ctx, "a1", func(s *session.Session) { s.Proof = []byte("proof") })
	must(t, err)
	got, err = both.Sessions().Get(ctx, "a1")
	found(t, "a session sealed anew with the new key, by who has that second", got, err, "a1")
	_, err = before.Sessions().Get(ctx, "a1")
	if err == nil {
		t.Error("who has the old key alone opens what the new one sealed")
	}
	proof := func(key session.Key) []byte { return key.Proof("anna", "anna") }
	if proofs := after.ProofKeys(); !bytes.Equal(proof(proofs[1]), proof(before.ProofKeys()[0])) || bytes.Equal(proof(proofs[0]), proof(proofs[1])) {
		t.Error("the keys of proofs do not follow from the keys")
	}
}

func TestWhatIsSealedOpensNowhereElse(t *testing.T) {
	s, err := newSealer([][]byte{key(1)})
	must(t, err)
	sealed := s.seal([]byte("text"), "here")
	text, err := s.open(sealed, "here")
	if string(text) != "text" || err != nil {
		t.Errorf("open = %q, %v", text, err)
	}
	_, err = s.open(sealed, "there")
	if err == nil {
		t.Error("it opens at another place")
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		_, err = s.open(changed, "here")
		if err == nil {
			t.Errorf("it opens with byte %d changed", i)
		}
	}
	_, err = s.open(sealed[:len(sealed)-1], "here")
	if err == nil {
		t.Error("it opens cut short")
	}
	if bytes.Equal(sealed, s.seal([]byte("text"), "here")) {
		t.Error("the same text looks the same sealed twice")
	}
}

func TestKeysAreRefusedThatAreNone(t *testing.T) {
	for what, keys := range map[string][][]byte{"none": nil, "a short one": {key(1)[1:]}, "a second that is long": {key(1), append(key(2), 0)}} {
		_, err := New(Settings{Keys: keys})
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

// Who reads the store learns no secret, and what a session leaves there goes by itself.
func TestWhatStandsInTheStore(t *testing.T) {
	server := startServer(t)
	v := server.open(t, nil)
	ctx := t.Context()
	must(t, v.Sessions().Put(ctx, session.Session{ID: "canary-id", Login: "canary-login", Proof: []byte("canary-proof"),
		Upstreams: map[string][]byte{"pureconnect": []byte("canary-cookie")}}, time.Hour))
	_, err := v.Leases().Take(ctx, "canary-login", "replica", time.Minute)
	must(t, err)
	must(t, v.Tries().Succeed(ctx, "canary-login", time.Hour))
	must(t, v.Shelf().Put(ctx, "canary-catalogue", cache.Copy{Text: []byte("canary-text")}, time.Hour))
	_, err = v.Shelf().Purge(ctx, "canary-site", "en-us")
	must(t, err)
	_, err = v.Pace().Next(ctx, "canary-site", time.Second, 1)
	must(t, err)
	keys, err := server.admin.Keys(ctx, "*").Result()
	must(t, err)
	if len(keys) != 7 {
		t.Errorf("%d keys; want record, pointer, lease, success, copy, epochs and pace", len(keys))
	}
	for _, name := range keys {
		text := name + server.cli(t, "DUMP", name)
		if strings.Contains(text, "canary") {
			t.Errorf("%s tells a secret", name)
		}
		if server.admin.TTL(ctx, name).Val() <= 0 {
			t.Errorf("%s stays for ever", name)
		}
	}
}
