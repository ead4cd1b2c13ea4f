package store

import (
	"testing"
	"time"
)

// look probes the server once from each store, in turn.
func look(t *testing.T, all ...*Valkey) {
	t.Helper()
	for _, v := range all {
		is, err := v.probe(t.Context())
		must(t, err)
		v.count(is)
	}
}

// TestALossOfTheStoreIsNoticed empties a server, and has it count on.
func TestALossOfTheStoreIsNoticed(t *testing.T) {
	server := startServer(t)
	v, other := server.open(t, nil), server.open(t, nil)
	for range 3 {
		look(t, v)
		must(t, second(other.probe(t.Context())))
	}
	if v.Losses() != 0 {
		t.Errorf("%d losses of a server that lost nothing", v.Losses())
	}
	server.cli(t, "FLUSHALL")
	look(t, v, v)
	if v.Losses() != 1 {
		t.Errorf("%d losses; want 1", v.Losses())
	}
}

// TestALossOfOneProbeIsNoticedByAll has a server come back with a copy that is older than the last probe of one replica
// alone, whichever probes first then, and twice.
func TestALossOfOneProbeIsNoticedByAll(t *testing.T) {
	for name, turns := range map[string]func(a, b, c *Valkey) []*Valkey{
		"who has lost none probes first": func(a, b, c *Valkey) []*Valkey { return []*Valkey{a, b, c} },
		"who has lost one probes first":  func(a, b, c *Valkey) []*Valkey { return []*Valkey{b, a, c} },
	} {
		t.Run(name, func(t *testing.T) {
			server := startServer(t)
			a, b, c := server.open(t, nil), server.open(t, nil), server.open(t, nil)
			for i := range int64(2) {
				for range 3 {
					look(t, a, b, c)
				}
				look(t, c, a)
				copied := server.copied(t)
				look(t, b)
				server.restore(t, copied)
				for range 3 {
					look(t, turns(a, b, c)...)
				}
				for at, v := range []*Valkey{a, b, c} {
					if got := v.Losses(); got != i+1 {
						t.Errorf("replica %d has noticed %d losses; want %d", at, got, i+1)
					}
				}
			}
			late := server.open(t, nil)
			look(t, late, a, late)
			if late.Losses() != 0 {
				t.Errorf("a replica that came later has noticed %d losses; want none", late.Losses())
			}
		})
	}
}

// copied returns what the server has.
func (s *server) copied(t *testing.T) map[string]string {
	t.Helper()
	keys, err := s.admin.Keys(t.Context(), "*").Result()
	must(t, err)
	all := map[string]string{}
	for _, key := range keys {
		all[key], err = s.admin.Dump(t.Context(), key).Result()
		must(t, err)
	}
	return all
}

// restore has the server have what was copied, and nothing else.
func (s *server) restore(t *testing.T, copied map[string]string) {
	t.Helper()
	s.cli(t, "FLUSHALL")
	for key, value := range copied {
		must(t, s.admin.Restore(t.Context(), key, time.Hour, value).Err())
	}
}
