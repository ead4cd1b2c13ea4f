// Package rig is what the tests of the two upstream clients, and of the simulators of what they
// call, run on: servers with one answer, what was told and counted, and fake time. Only tests
// import it.
package rig

import (
	"strings"
	"testing"
	"testing/synctest"
)

// InBubble runs a test with fake time and a server that is closed after it.
func InBubble(t *testing.T, server interface{ Close() }, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Cleanup(server.Close)
		test(t)
	})
}

// Want fails the test if got does not contain each of parts.
func Want(t testing.TB, what, got string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(got, part) {
			t.Errorf("%s = %s; want in it: %s", what, got, part)
		}
	}
}

// WantList compares items by parts of them, one an item.
func WantList(t testing.TB, what string, got []string, parts ...string) {
	t.Helper()
	if len(got) != len(parts) {
		t.Fatalf("%s = %d items %q; want %d", what, len(got), got, len(parts))
	}
	for i := range parts {
		Want(t, what, got[i], parts[i])
	}
}
