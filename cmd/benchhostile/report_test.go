package main

import (
	"io"
	"strings"
	"testing"
	"time"
)

func TestReport(t *testing.T) {
	ms := func(list ...int) []time.Duration {
		var took []time.Duration
		for _, n := range list {
			took = append(took, time.Duration(n)*time.Millisecond)
		}
		return took
	}
	r := &report{settings: settings{agents: 3, rate: 2}, rounds: []round{
		{served: served{took: ms(1, 2, 4)}},
		{name: "deep JSON", served: served{took: ms(1, 2, 8), failed: 1, first: io.ErrUnexpectedEOF}, got: outcome{"400": 7, "closed": 1}},
		{served: served{took: ms(1, 2, 4)}},
		{name: "idle connections", served: served{took: ms(1, 2, 9)}, got: outcome{"opened": 10}},
	}}
	var text strings.Builder
	r.print(&text)
	for _, want := range []string{"deep JSON", "2.0", "ok", "0 + 1 of 6", "400: 7, closed: 1", "2.2", "MISSED", `in a round with "deep JSON": unexpected EOF`} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, &text)
		}
	}
}

func TestLastStates(t *testing.T) {
	got := lastStates("\x1b[1;32mconnected:   \x1b[1;32m        5\x1b[0m\n\x1b[1;32mconnected:   \x1b[1;32m  200\nclosed:   3\nservice available: YES\n")
	if got.String() != "closed: 3, connected: 200" {
		t.Errorf("lastStates = %v", got)
	}
}

func TestArguments(t *testing.T) {
	for _, bad := range [][]string{{"--agents", "0"}, {"--rate", "0"}, {"--only", "noise"}, {"more"}, {"--round", "x"}} {
		_, err := parse(bad, io.Discard)
		if err == nil {
			t.Errorf("parse(%q) found no fault", bad)
		}
	}
	s, err := parse([]string{"--only", "deep JSON", "--agents", "9"}, io.Discard)
	if err != nil || s.only != "deep JSON" || s.agents != 9 || s.rate != 200 {
		t.Errorf("parse = %+v, %v", s, err)
	}
}
