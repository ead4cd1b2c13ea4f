package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"portico/cmd/internal/bench"
)

// A figure is what one turn of one entrant came to.
type figure struct {
	mode, contest, peer string
	round               int
	shot
	processor time.Duration // that the peer used for each request
	busy      float64       // processors that it kept busy
	upstream  float64       // calls of the contact centre for each request
	memory    float64       // bytes, once the turn was over
}

// measure measures everything and reports it.
func measure(ctx context.Context, s settings, stdout, stderr io.Writer) error {
	missing := install(ctx, stderr)
	if slices.Contains(missing, "wrk") || slices.Contains(missing, "util-linux") {
		return fmt.Errorf("it needs: sudo apt-get install %s", strings.Join(missing, " "))
	}
	if len(missing) > 0 {
		fmt.Fprintf(stderr, "benchpeers: left out. To have all peers: sudo apt-get install %s\n", strings.Join(missing, " "))
	}
	r := &report{settings: s, began: time.Now(), load: bench.LoadAverage(), versions: versionsOf(ctx)}
	// Crowds come first, to a machine that has rested: what the last one of many waits is also what else that does.
	if s.agents > 0 && (s.only == "" || s.only == crowdsName) {
		err := r.crowds(ctx, stderr)
		if ctx.Err() != nil {
			return err
		}
		if err != nil { // the contests are worth having all the same
			fmt.Fprintf(stderr, "benchpeers: crowds: %v\n", err)
		}
	}
	for _, m := range modes {
		if s.only == crowdsName {
			break
		}
		err := r.contests(ctx, m, stderr)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	r.ended = bench.LoadAverage()
	fmt.Fprint(stdout, r.markdown())
	return r.save()
}

// contests holds all contests in one mode, so many rounds of them.
func (r *report) contests(ctx context.Context, m mode, stderr io.Writer) error {
	home, err := newHouse()
	if err != nil {
		return err
	}
	w := &world{house: home, mode: m}
	defer w.Close()
	err = w.open(ctx, r.settings.portico, "")
	if err != nil {
		return err
	}
	err = w.logIn(ctx)
	if err != nil {
		return err
	}
	err = w.openPeers(ctx, stderr)
	if err != nil {
		return err
	}
	r.absent = w.absent
	for round := range r.settings.rounds + 1 {
		for _, c := range contests {
			if r.settings.only == "" || r.settings.only == c.name {
				err = r.turns(ctx, w, c, round)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// turns gives every entrant of a contest its turn. Who begins changes from round to round; the first
// round, a short one, is there to warm up, and to see that answers are as they should be.
func (r *report) turns(ctx context.Context, w *world, c contest, round int) error {
	for i := range c.entrants {
		e := c.entrants[(i+round)%len(c.entrants)]
		if slices.Contains(w.absent, e.name) {
			continue
		}
		length := r.settings.duration
		if round == 0 {
			length = time.Second
		}
		f, err := w.turn(ctx, c, e, length)
		if err != nil {
			return fmt.Errorf("%s of %s: %w", c.name, e.name, err)
		}
		if round > 0 {
			f.round = round
			r.figures = append(r.figures, f)
		}
	}
	return nil
}

// turn measures one entrant once.
func (w *world) turn(ctx context.Context, c contest, e entrant, length time.Duration) (figure, error) {
	f := figure{mode: w.mode.name, contest: c.name, peer: e.name}
	servers := w.peers[e.name]
	requests, err := w.prepare(ctx, e, servers[0].address)
	if err != nil {
		return f, err
	}
	members, err := familiesOf(servers...)
	if err != nil {
		return f, err
	}
	before, err := members.clock()
	if err != nil {
		return f, err
	}
	asked, err := w.calls(ctx)
	if err != nil {
		return f, err
	}
	f.shot, err = w.shoot(ctx, w.mode.rest, servers[0].address, length, requests)
	if err != nil {
		return f, err
	}
	after, err := members.clock()
	if err != nil {
		return f, err
	}
	used := after.since(before)
	f.processor, f.busy = used/time.Duration(f.requests), used.Seconds()/f.took.Seconds()
	f.upstream, err = w.askedSince(ctx, asked, f.requests)
	if err != nil {
		return f, err
	}
	f.memory, err = members.memory()
	if f.failed*100 > f.requests { // fewer are told in the report: on a busy machine one may come too late
		err = errors.Join(err, fmt.Errorf("%d of %d requests failed", f.failed, f.requests))
	}
	return f, errors.Join(err, w.tidy())
}

// prepare returns what is to be sent, and sees that the first of it is answered as it should be.
func (w *world) prepare(ctx context.Context, e entrant, address string) ([]request, error) {
	requests := e.requests(w)
	first := &requests[0]
	if first.header["If-None-Match"] == etag {
		plain := *first
		plain.header = maps.Clone(first.header)
		delete(plain.header, "If-None-Match")
		got, err := plain.must(ctx, caller, address, 200)
		if err != nil {
			return nil, err
		}
		first.header["If-None-Match"] = got.header.Get("Etag")
	}
	got, err := first.must(ctx, caller, address, e.status)
	if err != nil {
		return nil, err
	}
	if want, given := first.header["Accept-Encoding"], got.header.Get("Content-Encoding"); want != given {
		return nil, fmt.Errorf("the answer has Content-Encoding %q; want %q", given, want)
	}
	return requests, nil
}

// askedSince returns how often the contact centre was asked for each of so many requests.
func (w *world) askedSince(ctx context.Context, before map[string]int, requests int) (float64, error) {
	now, err := w.calls(ctx)
	if err != nil {
		return 0, err
	}
	calls := 0
	for route, n := range now {
		calls += n - before[route]
	}
	return float64(calls) / float64(requests), nil
}
