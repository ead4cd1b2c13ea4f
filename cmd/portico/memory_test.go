package main

import (
	"errors"
	"math"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"portico/config"
)

func TestTheContainersMemoryIsKeptWithin(t *testing.T) {
	t.Setenv("AUTOMEMLIMIT", "0.9") // whatever the machine says
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	for _, tt := range []struct {
		name    string
		limit   memlimit.Provider
		environ []string
		cache   config.Bytes
		want    int64    // of the runtime's limit
		said    []string // in the log
	}{
		{"a container's limit", memlimit.Limit(1 << 30), nil, 64 << 20, 9 * (1 << 30) / 10, []string{`"msg":"memory is limited","limit_bytes":966367641,"by":"container"`}},
		{"a cache that leaves too little of it", memlimit.Limit(100 << 20), nil, 64 << 20, 9 * (100 << 20) / 10,
			[]string{`"limit_bytes":94371840`, `"level":"WARN","msg":"settings: cache.max_bytes is more than half of the memory limit`}},
		{"no limit", func() (uint64, error) { return 0, memlimit.ErrNoLimit }, nil, 64 << 20, math.MaxInt64, []string{"memory is not limited"}},
		{"a limit that cannot be read", func() (uint64, error) { return 0, errors.New("no such file") }, nil, 64 << 20, 2 << 30, []string{`"level":"WARN"`, "no such file"}},
		{"a limit that the environment gives", memlimit.Limit(1 << 30), []string{"GOMEMLIMIT=2GiB"}, 64 << 20, 2 << 30, []string{`"limit_bytes":2147483648,"by":"GOMEMLIMIT"`}},
	} {
		debug.SetMemoryLimit(2 << 30) // what the runtime would have made of GOMEMLIMIT
		log := &journal{}
		keepWithin(tt.limit, tt.environ, tt.cache, logger(log, config.LogLevel("info")))
		if got := debug.SetMemoryLimit(-1); got != tt.want {
			t.Errorf("%s: the runtime's limit is %d; want %d", tt.name, got, tt.want)
		}
		for _, said := range tt.said {
			if !strings.Contains(log.String(), said) {
				t.Errorf("%s: the log says %s; want %s in it", tt.name, log, said)
			}
		}
	}
}

// TestServeKeepsWithinTheMemory tells that serve asks at all.
func TestServeKeepsWithinTheMemory(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	s := newCentres(t, nil).serveWith("drain_delay: 0s\n")
	s.log.await(t, `"msg":"memory is`)
	s.end()
}
