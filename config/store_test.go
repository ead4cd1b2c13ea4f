package config

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// storeKeys are those of testdata/store-keys, without the line break at the end.
var storeKeys = strings.Repeat("canary00", 5) + "can=\n" + strings.Repeat("canary11", 5) + "can="

func TestStoreKeys(t *testing.T) {
	s := Store{Key: NewSecret("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\n AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=")}
	keys, err := s.Keys()
	want := [][]byte{make([]byte, 32), bytes.Repeat([]byte{1}, 32)}
	if diff := cmp.Diff(want, keys); err != nil || diff != "" {
		t.Errorf("Keys: %v (-want +got):\n%s", err, diff)
	}
}

func TestStoreAddresses(t *testing.T) {
	s := Store{URLs: []string{"valkey://store.example", "redis://[::1]:7000"}}
	if diff := cmp.Diff([]string{"store.example:6379", "[::1]:7000"}, s.Addresses()); diff != "" || s.Encrypted() {
		t.Errorf("Addresses, encrypted %v (-want +got):\n%s", s.Encrypted(), diff)
	}
}
