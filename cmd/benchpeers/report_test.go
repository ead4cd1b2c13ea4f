package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

// turns returns figures of one contest, a round after the other, with these µs a request.
func turns(mode, contest, peer string, micros ...int) []figure {
	var all []figure
	for round, each := range micros {
		all = append(all, figure{mode: mode, contest: contest, peer: peer, round: round + 1, processor: time.Duration(each) * time.Microsecond,
			shot: shot{requests: 1000 * (round + 1), took: time.Second, p50: time.Millisecond, p99: 2 * time.Millisecond}})
	}
	return all
}

func TestRatiosAreThoseOfARound(t *testing.T) {
	r := &report{}
	r.figures = append(r.figures, turns("pinned", "plain", porticoName, 20, 60, 30)...)
	r.figures = append(r.figures, turns("pinned", "plain", nginx, 10, 60, 20)...) // 2, 1, 1.5
	got, measured := r.ratio("pinned", "plain", nginx, cost)
	if !measured || got != 1.5 {
		t.Errorf("the ratio is %v, %v; want the median of each round's, 1.5", got, measured)
	}
	if _, measured = r.ratio("pinned", "plain", varnish, cost); measured {
		t.Error("there is a ratio to one who took no part")
	}
}

func TestTargetsAreJudgedPinned(t *testing.T) {
	r := &report{}
	for mode, micros := range map[string]int{"pinned": 17, "unpinned": 30} {
		r.figures = append(r.figures, turns(mode, "plain", porticoName, micros)...)
		r.figures = append(r.figures, turns(mode, "plain", nginx, 10)...)
	}
	got := r.results()[0]
	want := result{what: "catalogue from the cache: processor time a request, of nginx's", bound: "at most 1.7", figure: "1.70", met: true, besides: "3.00", measured: true}
	if got != want {
		t.Errorf("the first target is %+v\nwant %+v", got, want)
	}
	if other := r.results()[1]; other.measured || other.met {
		t.Errorf("%+v; want it not measured", other)
	}
}

func TestBounds(t *testing.T) {
	for _, c := range []struct {
		bound  bound
		figure float64
		met    bool
	}{{atMost(2), 2, true}, {atMost(2), 2.01, false}, {atLeast(2), 2, true}, {atLeast(2), 1.99, false}} {
		if got := c.bound.met(c.figure); got != c.met {
			t.Errorf("%v is met by %v: %v; want %v", c.bound, c.figure, got, c.met)
		}
	}
}

func TestCrowds(t *testing.T) {
	r := &report{
		rushes: []rush{{fetches: 1, slowest: 304 * time.Millisecond, own: 300 * time.Millisecond}},
		storm:  &storm{agents: 2, languages: 2, fetches: 2, took: []time.Duration{1, 3}, direct: []time.Duration{1, 1}},
	}
	var missed []string
	for _, one := range r.crowdResults() {
		if !one.met {
			missed = append(missed, one.besides)
		}
	}
	if len(missed) != 1 || missed[0] != "3.00" {
		t.Errorf("missed are %q; want the log-ins that take 3 times as long", missed)
	}
}

func TestReportOfARun(t *testing.T) {
	r := &report{settings: settings{rounds: 1, duration: time.Second}, absent: []string{varnish}}
	r.figures = append(turns("pinned", "plain", porticoName, 20), turns("pinned", "plain", nginx, 10)...)
	page := r.markdown()
	for _, want := range []string{"Left out, not being installed: Varnish.", "| at most 1.7 | 2.00 | - | missed |", "| plain | nginx | 1000 | 1.00 | 2.00 | 10.0 | 0.50 |", "| not measured |"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q:\n%s", want, page)
		}
	}
	if lines := strings.Count(string(r.csv()), "\n"); lines != 3 {
		t.Errorf("the CSV has %d lines; want a heading and one for each turn", lines)
	}
	if chart := string(r.chart()); strings.Count(chart, "<rect") != 3 || strings.Contains(chart, "NaN") {
		t.Errorf("the chart is %s; want its ground and a bar for each", chart)
	}
}

// TestReadmeHasTheLastResults holds the README's table to the one that was measured last.
func TestReadmeHasTheLastResults(t *testing.T) {
	results, err := os.ReadFile("results.md")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(results), "\n\n| Portico ")
	table, _, _ := strings.Cut("| Portico "+after, "\n\n")
	if !strings.Contains(string(readme), "\n"+table+"\n") {
		t.Errorf("README.md does not have the first table of results.md:\n%s", table)
	}
}
