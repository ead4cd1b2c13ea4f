package main

import (
	"io"
	"strings"
	"testing"
	"time"
)

func TestReport(t *testing.T) {
	ms := func(list ...int) served {
		var s served
		for _, n := range list {
			s.took = append(s.took, time.Duration(n)*time.Millisecond)
		}
		return s
	}
	var text strings.Builder
	report(&text, settings{agents: 3, atOnce: 2, round: time.Second}, []round{
		{where: "in memory", request: "GET /me", served: ms(1, 2, 4, 9), lasted: 2 * time.Second},
		{where: "store, elsewhere", request: "POST /me", served: ms(5), lasted: time.Second, calls: 1.25},
	})
	for _, want := range []string{"3 agents", "in memory", "2.0  9.0  0.00", "POST /me", "1.25"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, &text)
		}
	}
}

func TestCountCalls(t *testing.T) {
	said := "# Commandstats\r\ncmdstat_evalsha:calls=7,usec=3\r\ncmdstat_hmget:calls=7,usec=1\r\ncmdstat_get:calls=2,usec=1\r\n"
	if got := countCalls(said); got != 9 {
		t.Errorf("countCalls = %d; want 9", got)
	}
}

func TestArguments(t *testing.T) {
	for _, bad := range [][]string{{"--agents", "0"}, {"--at-once", "0"}, {"--round", "0s"}, {"more"}} {
		_, err := parse(bad, io.Discard)
		if err == nil {
			t.Errorf("parse(%q) found no fault", bad)
		}
	}
}
