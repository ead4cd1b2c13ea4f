package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"portico/cmd/internal/bench"
)

// What agents do at work: contact centres change the state of each about once a minute, and an application
// that does not trust its notifications reads it every 30 seconds.
const (
	changeEvery = time.Minute
	readEvery   = 30 * time.Second
)

// A shift is some time of all agents' work.
type shift struct {
	changes int
	arrived []time.Duration // sorted: from the sending of a change to its notification at the client
	reads   []time.Duration // sorted: of GET /me
}

// work has agents work for at least as long as f takes, and returns what came of it, and how many processors
// Portico kept busy meanwhile.
func (c *crowd) work(ctx context.Context, agents []*agent, length time.Duration, f func() error) (shift, float64, error) {
	var s shift
	c.notified.clear()
	defer uncollected()()
	began := time.Now()
	changed, read := &arrivals{}, &arrivals{}
	var changing, reading error
	var work sync.WaitGroup
	work.Go(func() {
		s.changes, changing = c.scene.change(ctx, rateOf(agents, changeEvery), length, agents, changed)
	})
	work.Go(func() { reading = c.read(ctx, rateOf(agents, readEvery), length, agents, read) })
	took, err := c.scene.processors(f)
	busy := took.Seconds() / time.Since(began).Seconds()
	work.Wait()
	for _, failed := range []error{changing, reading, err, bench.Pause(ctx, time.Second)} { // the last change has arrived by then
		if failed != nil {
			return s, busy, failed
		}
	}
	s.arrived, s.reads = c.notified.clear(), read.clear()
	return s, busy, nil
}

// rateOf returns how often a second something happens that happens to each agent so often.
func rateOf(agents []*agent, every time.Duration) float64 {
	return float64(len(agents)) / every.Seconds()
}

// read has agents read their state at a steady rate. They share a few connections: one of each agent's own
// would be a third open file, which nobody needs who keeps no page open.
func (c *crowd) read(ctx context.Context, rate float64, length time.Duration, agents []*agent, took *arrivals) error {
	return atRate(ctx, rate, length, agents, func(ctx context.Context, queue <-chan *agent) error {
		w, err := dial(ctx, c.scene.Door)
		if err != nil {
			return err
		}
		defer w.close()
		for a := range queue {
			began := time.Now()
			answer, body, err := w.do(a.request("/api/v2/me", ""))
			if err != nil {
				return err
			}
			if answer.StatusCode != 200 {
				return fmt.Errorf("%s cannot read: %s: %s", a.name, answer.Status, body)
			}
			took.add(time.Since(began))
		}
		return nil
	})
}
