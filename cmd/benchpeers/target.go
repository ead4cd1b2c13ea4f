package main

import (
	"fmt"
	"slices"

	"portico/cmd/internal/bench"
)

// A bound is what a figure should be.
type bound struct {
	value float64
	least bool // else at most
}

func atMost(value float64) bound  { return bound{value, false} }
func atLeast(value float64) bound { return bound{value, true} }

func (b bound) met(figure float64) bool {
	if b.least {
		return figure >= b.value
	}
	return figure <= b.value
}

func (b bound) String() string {
	if b.least {
		return fmt.Sprintf("at least %g", b.value)
	}
	return fmt.Sprintf("at most %g", b.value)
}

// A target is a ratio of Portico to a peer, and what it should be.
type target struct {
	contest string
	what    string
	of      reading
	peer    string
	bound   bound
}

const (
	perRequest = "processor time a request"
	perSecond  = "requests a second"
)

var targets = []target{
	{"plain", perRequest, cost, nginx, atMost(1.7)},
	{"gzip", perRequest, cost, nginx, atMost(1.2)},
	{"304", perRequest, cost, nginx, atMost(1.6)},
	{"plain", perRequest, cost, varnish, atMost(0.9)},
	{"gzip", perRequest, cost, varnish, atMost(0.7)},
	{"304", perRequest, cost, varnish, atMost(0.6)},
	{"write", perRequest, cost, ginProxy, atMost(0.65)},
	{"write", perRequest, cost, nginx, atMost(2)},
	{"write", perSecond, rate, luraName, atLeast(2)},
	{"write", perSecond, rate, caddy, atLeast(2.5)},
	{"read", perSecond, rate, nginx, atLeast(2)},
}

// A result is a target beside its figures.
type result struct {
	what     string
	bound    string
	figure   string
	met      bool
	besides  string // the figure of the other mode
	measured bool
}

// results returns every target with what became of it. Those of ratios are judged pinned, where a peer
// has a processor of its own.
func (r *report) results() []result {
	var all []result
	for _, t := range targets {
		one := result{what: fmt.Sprintf("%s: %s, of %s's", jobOf(t.contest), t.what, t.peer), bound: t.bound.String(), figure: "-", besides: "-"}
		pinned, measured := r.ratio("pinned", t.contest, t.peer, t.of)
		if measured {
			one.figure, one.met, one.measured = fmt.Sprintf("%.2f", pinned), t.bound.met(pinned), true
		}
		unpinned, measured := r.ratio("unpinned", t.contest, t.peer, t.of)
		if measured {
			one.besides = fmt.Sprintf("%.2f", unpinned)
		}
		all = append(all, one)
	}
	return slices.Concat(all, r.upstreamResults(), r.crowdResults())
}

// upstreamResults are about calls that are not to be made.
func (r *report) upstreamResults() []result {
	one := result{what: jobOf("read") + ": calls of the contact centre for each", bound: "0", figure: "-", besides: "-"}
	calls, measured := r.median("pinned", "read", porticoName, upstream)
	if measured {
		one.figure, one.met, one.measured = fmt.Sprintf("%g", calls), calls == 0, true
		unpinned, _ := r.median("unpinned", "read", porticoName, upstream)
		one.besides = fmt.Sprintf("%g", unpinned)
	}
	return []result{one}
}

// crowdResults are about many who come at once. They run unpinned alone.
func (r *report) crowdResults() []result {
	if len(r.rushes) == 0 || r.storm == nil {
		return nil
	}
	most := 0
	var late []float64
	for _, one := range r.rushes {
		most = max(most, one.fetches)
		late = append(late, bench.Milliseconds(one.late()))
	}
	slowest, _ := middle(late)
	longer := bench.Percentile(r.storm.took, 99).Seconds() / bench.Percentile(r.storm.direct, 99).Seconds()
	return []result{
		{fmt.Sprintf("%d first readers of one session: fetches of the catalogue", crowd), "exactly 1", "-", most == 1, fmt.Sprint(most), true},
		{fmt.Sprintf("the same: ms that the slowest waits beyond the contact centre's own %v", siteTakes), "at most 5", "-", slowest <= 5, fmt.Sprintf("%.1f", slowest), true},
		{fmt.Sprintf("%d log-ins, shared catalogue, %d languages: fetches of it", r.storm.agents, r.storm.languages), fmt.Sprint(r.storm.languages), "-", r.storm.fetches == r.storm.languages, fmt.Sprint(r.storm.fetches), true},
		{"the same: 99th percentile of a log-in, of the same calls made at the contact centre", "at most 2", "-", longer <= 2, fmt.Sprintf("%.2f", longer), true},
	}
}

func jobOf(name string) string {
	for _, c := range contests {
		if c.name == name {
			return c.job
		}
	}
	return name
}
