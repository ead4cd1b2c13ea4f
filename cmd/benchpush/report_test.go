package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestReport(t *testing.T) {
	at := func(resident float64) reading { return reading{resident: resident, before: resident} }
	r := &report{settings: settings{agents: 10, round: time.Second}, load: "0.1",
		stages: []stage{{"nobody", at(1e6)}, {"a session", at(1.2e6)}, {"a poll", at(1.5e6)}, {"a socket", at(1.6e6)}},
		rounds: []round{{sent: 2, took: 100 * time.Microsecond, arrived: []time.Duration{time.Millisecond, 7 * time.Millisecond}}}}
	var out bytes.Buffer
	r.print(&out)
	said := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{
		"a held long poll and a stream 50.0 KB 60 KB 30 KB met", "an idle websocket 10.0 KB 8 KB - NOT MET", "7.0 ms 5 ms - NOT MET",
		"each event, median of the rounds 50.0 µs 42 µs 20 µs NOT MET",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("the report lacks %q:\n%s", want, &out)
		}
	}
	file := filepath.Join(t.TempDir(), "figures.csv")
	err := r.save(file)
	text, reading := os.ReadFile(file)
	if err != nil || reading != nil || !strings.Contains(string(text), "\na poll: resident for each agent,30000.000,B\n") {
		t.Errorf("save = %v, %v and wrote\n%s", err, reading, text)
	}
}

func TestWhatAProcessUses(t *testing.T) {
	if _, err := os.Stat("/proc/self/smaps_rollup"); err != nil {
		t.Skip("no /proc here: benchpush is for Linux")
	}
	memory, err := resident(os.Getpid())
	if err != nil || memory < 1e6 {
		t.Errorf("resident = %v, %v; want more than a megabyte", memory, err)
	}
	_, err = processorTime(os.Getpid())
	if err != nil {
		t.Errorf("processorTime: %v", err)
	}
}

func TestArguments(t *testing.T) {
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"-h"}, 0, "-agents"},
		{[]string{"--agents", "0"}, 2, "1 to 9999 agents"},
		{[]string{"--scale", "100,50"}, 2, "rising numbers"},
		{[]string{"--scale", "1", "--portico", "/nowhere/portico"}, 1, "/nowhere/portico"},
		{[]string{"now"}, 2, "no arguments"},
		{[]string{"--agents", "1", "--portico", "/nowhere/portico"}, 1, "/nowhere/portico"},
	} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), tt.args, &stdout, &stderr)
		if code != tt.code || !strings.Contains(stderr.String(), tt.want) {
			t.Errorf("%q: exit code %d and %q; want %d and %q", tt.args, code, &stderr, tt.code, tt.want)
		}
	}
}
