package store

import (
	"errors"
	"maps"
	"testing"
	"time"

	"portico/cache"
)

func testCopies(t *testing.T, k kit) {
	ctx := t.Context()
	holds := func(what, known, text, version string) {
		t.Helper()
		got, err := k.shelf.Get(ctx, "a", known)
		switch {
		case version == "" && !errors.Is(err, cache.ErrNoCopy):
			t.Errorf("%s: Get = %q, %v; want %v", what, got.Version, err, cache.ErrNoCopy)
		case version != "" && (err != nil || string(got.Text) != text || got.Version != version):
			t.Errorf("%s: Get = %q of version %q, %v; want %q of %q", what, got.Text, got.Version, err, text, version)
		}
	}
	put := func(text, version string, epoch int64) {
		t.Helper()
		must(t, k.shelf.Put(ctx, "a", cache.Copy{Text: []byte(text), Version: version, Epoch: epoch}, time.Hour))
	}
	renew := func(what, version string, epoch int64, want bool) {
		t.Helper()
		got, err := k.shelf.Renew(ctx, "a", version, epoch, time.Hour)
		if err != nil || got != want {
			t.Errorf("%s: Renew = %v, %v; want %v", what, got, err, want)
		}
	}
	holds("nothing", "", "", "")
	renew("nothing", "v1", 0, false)
	put("one", "v1", 5)
	holds("what was put", "", "one", "v1")
	holds("what the caller knows", "v1", "", "v1")
	holds("when the caller knows another", "v0", "one", "v1")
	put("two", "v2", 5)
	holds("what was put in its place", "v1", "two", "v2")
	put("before", "v0", 4)
	holds("when one of an earlier epoch came", "", "two", "v2")
	renew("another version", "v1", 5, false)
	renew("another epoch", "v2", 4, false)
	k.pass(40 * time.Minute)
	renew("the same", "v2", 5, true)
	k.pass(40 * time.Minute)
	holds("what was renewed", "", "two", "v2")
	k.pass(20 * time.Minute)
	holds("what was not", "", "", "")
	renew("what is over", "v2", 5, false)
	put("before", "v0", 4)
	holds("one of an earlier epoch, once the later one is over", "", "before", "v0")
	_, err := k.shelf.Get(ctx, "b", "")
	if !errors.Is(err, cache.ErrNoCopy) {
		t.Errorf("another name: %v; want %v", err, cache.ErrNoCopy)
	}
}

func testEpochs(t *testing.T, k kit) {
	ctx := t.Context()
	want := map[string]int64{}
	var last int64
	for _, part := range []string{"en-us", "", "en-us", "de"} {
		epoch, err := k.shelf.Purge(ctx, "site", part)
		if err != nil || epoch <= last {
			t.Errorf("Purge of %q = %d, %v; want more than %d", part, epoch, err, last)
		}
		want[part], last = epoch, epoch
	}
	got, err := k.shelf.Epochs(ctx, "site", nil)
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("Epochs = %v, %v; want %v", got, err, want)
	}
	want["de"], want["fr"] = last+10, 5 // of which it has an earlier one, and none
	got, err = k.shelf.Epochs(ctx, "site", map[string]int64{"de": last + 10, "fr": 5, "en-us": 1})
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("Epochs that the caller knows = %v, %v; want %v", got, err, want)
	}
	epoch, err := k.shelf.Purge(ctx, "site", "fr")
	if err != nil || epoch <= last+10 {
		t.Errorf("Purge = %d, %v; want more than %d", epoch, err, last+10)
	}
	got, err = k.shelf.Epochs(ctx, "elsewhere", nil)
	if err != nil || len(got) != 0 {
		t.Errorf("Epochs of another owner = %v, %v; want none", got, err)
	}
}
