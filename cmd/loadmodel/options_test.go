package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestOptions(t *testing.T) {
	var stderr bytes.Buffer
	o, err := parse([]string{"--agents", "30", "--duration", "5s", "--modes", "service,direct"}, &stderr)
	if err != nil || o.agents != 30 || o.duration != 5*time.Second {
		t.Errorf("options are %+v (%v)", o, err)
	}
	if len(o.modes) != 2 || !o.modes[0].direct || o.modes[1].name != "service" {
		t.Errorf("modes are %+v; want direct and service, in the order of the table", o.modes)
	}
}

func TestRefusedCommandLines(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string // in what is printed
	}{
		{"help explains", []string{"--help"}, exitOK, "compressed into --duration"},
		{"help lists the flags", []string{"-h"}, exitOK, "-agents number"},
		{"a flag that does not exist", []string{"--agent", "5"}, exitUsage, "-agent"},
		{"a value of the wrong type", []string{"--agents", "many"}, exitUsage, `"many"`},
		{"too few agents", []string{"--agents", "0"}, exitUsage, "--agents 0: want 1 to 9999"},
		{"more agents than the simulator has", []string{"--agents", "10000"}, exitUsage, "--agents 10000: want 1 to 9999"},
		{"a duration without a unit", []string{"--duration", "60"}, exitUsage, "duration"},
		{"a duration too short to act in", []string{"--duration", "10ms"}, exitUsage, "--duration 10ms: want 1s to 1h0m0s"},
		{"a duration too long", []string{"--duration", "8h"}, exitUsage, "--duration 8h0m0s: want"},
		{"a mode that does not exist", []string{"--modes", "direct,fast"}, exitUsage, `there is no mode "fast"; want some of direct,agent,shared,service`},
		{"no folder", []string{"--out", ""}, exitUsage, "--out"},
		{"an argument", []string{"now"}, exitUsage, `"now" is no flag`},
		{"a binary that is not there", []string{"--portico", "nowhere", "--out", t.TempDir()}, exitFailed, "nowhere"},
	} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), tt.args, &stdout, &stderr)
		if code != tt.code || !strings.Contains(stderr.String(), tt.want) || stdout.Len() > 0 {
			t.Errorf("%s: exit code %d, %q and %q printed; want %d and %q", tt.name, code, &stdout, &stderr, tt.code, tt.want)
		}
	}
}
