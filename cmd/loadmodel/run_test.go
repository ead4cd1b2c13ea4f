package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// TestSmallShift plays a shift of one agent of each persona, and of two on HTCC, against the real
// simulators and through the real Portico.
func TestSmallShift(t *testing.T) {
	built, remove, err := options{}.program(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer remove()
	const agents = 7
	r := newRoster(agents)
	all := report{agents: agents, duration: time.Second}
	all.results = make([]result, 2)
	var side errgroup.Group // by side: each mode has its own contact centres, and mostly waits
	for i, m := range modes[:2] {
		side.Go(func() (err error) {
			all.results[i], err = measure(t.Context(), m, built, agents, all.duration)
			return err
		})
	}
	if err := side.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := all.faults(); err != nil {
		t.Errorf("the figures are not to be trusted: %v", err)
	}
	for _, row := range all.targets(r) {
		isShare := strings.HasSuffix(row[2], "% MISSED") // probes weigh much among so few
		if strings.HasSuffix(row[2], "MISSED") && !isShare {
			t.Errorf("a target is missed: %q", row)
		}
	}
	for _, one := range all.results {
		polls := one.count(func(k key) bool {
			return k.kind == icws && k.class == stateReads && k.phase == morning.name && k.persona == panel
		})
		if want := 2160; one.mode.direct && polls != want {
			t.Errorf("the panel polled %d times in a morning; want %d", polls, want)
		}
		if n := one.count(func(k key) bool { return k.route == unlisted }); n != 0 {
			t.Errorf("%s: %d requests of routes that the model does not know", one.mode.title, n)
		}
	}
	folder := t.TempDir()
	if err := all.write(folder); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"loadmodel.csv", "loadmodel.svg"} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// pretend makes a Portico of a few lines of shell.
func pretend(t *testing.T, script string) program {
	t.Helper()
	file := filepath.Join(t.TempDir(), "portico")
	err := os.WriteFile(file, []byte("#!/bin/sh\n"+script+"\n"), 0o700)
	if err != nil {
		t.Fatal(err)
	}
	return program{file: file}
}

func TestModeThatIsNotAvailable(t *testing.T) {
	const said = `loadmodel.yaml:5: sites.pureconnect.watch: "service" is not available in this version; use agent`
	got, err := measure(t.Context(), modes[3], pretend(t, "echo '"+said+"' >&2; exit 1"), 3, time.Second)
	if err != nil || got.missing != said || len(got.calls) != 0 {
		t.Errorf("measured %+v (%v); want it missing, in Portico's words", got, err)
	}
}

func TestPorticoThatDoesNotStart(t *testing.T) {
	_, err := measure(t.Context(), modes[1], pretend(t, "echo 'no memory' >&2; exit 1"), 3, time.Second)
	if err == nil || !strings.Contains(err.Error(), "portico did not start: no memory") {
		t.Errorf("measure = %v; want what Portico said", err)
	}
}

func TestEndBeforeTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped by the operator")
	time.AfterFunc(50*time.Millisecond, func() { cancel(stopped) })
	began := time.Now()
	_, err := measure(ctx, modes[0], program{}, 10, time.Hour)
	if !errors.Is(err, stopped) || time.Since(began) > time.Minute {
		t.Errorf("measure = %v after %v; want it to end with its context", err, time.Since(began))
	}
	_, err = measure(ctx, modes[1], pretend(t, "exec sleep 600"), 10, time.Hour)
	if err == nil || time.Since(began) > time.Minute {
		t.Errorf("measure = %v after %v; want Portico to be ended", err, time.Since(began))
	}
}

func TestHasBroken(t *testing.T) {
	const live = "# TYPE portico_upstream_streams gauge\nportico_upstream_streams{site=\"a\",state=\"live\",transport=\"sse\"} 7\n"
	for _, tt := range []struct {
		name    string
		metrics string
		want    bool
	}{
		{"no readers yet", "portico_site_up{site=\"a\"} 1\n", false},
		{"all live", live + "portico_upstream_streams{site=\"a\",state=\"broken\",transport=\"sse\"} 0\n", false},
		{"some broken", live + "portico_upstream_streams{site=\"b\",state=\"broken\",transport=\"cometd\"} 10\n", true},
	} {
		if got := hasBroken(tt.metrics); got != tt.want {
			t.Errorf("%s: %v; want %v", tt.name, got, tt.want)
		}
	}
}
