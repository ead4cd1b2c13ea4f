package main

import (
	"context"
	"io"
	"time"

	"portico/cmd/internal/bench"
	"portico/cmd/internal/fleet"
)

// A round is what came of one kind of request at one replica.
type round struct {
	where, request string
	served
	lasted time.Duration
	calls  float64 // of the store, for each request
}

// measure plays all rounds: in memory, then with the store.
func measure(ctx context.Context, s settings, stderr io.Writer) ([]round, error) {
	alone, err := measureFleet(ctx, s, fleet.Settings{InMemory: true, Replicas: 1, Stderr: stderr}, "in memory")
	if err != nil {
		return nil, err
	}
	shared, err := measureFleet(ctx, s, fleet.Settings{Replicas: 2, Stderr: stderr}, "store, where it is read", "store, elsewhere")
	return append(alone, shared...), err
}

// measureFleet plays the rounds of a fleet, at each of its replicas. Agents log in at the first, which
// therefore reads what the sites push.
func measureFleet(ctx context.Context, s settings, of fleet.Settings, where ...string) ([]round, error) {
	of.Program = s.portico
	f, err := fleet.Open(ctx, of)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c := newCallers(s)
	err = c.logIn(ctx, f.Replicas[0].Door)
	if err != nil {
		return nil, err
	}
	var rounds []round
	for i, name := range where {
		at := f.Replicas[i].Door
		_, err = c.play(ctx, at, read, s.agents, 0) // each agent is known there
		if err != nil {
			return nil, err
		}
		for _, kind := range []request{read, write} {
			one, err := measureRound(ctx, s, f, c, at, kind)
			if err != nil {
				return nil, err
			}
			one.where = name
			rounds = append(rounds, one)
		}
	}
	return rounds, nil
}

// measureRound has as many requests as can be for some time. What the store is asked in quiet, for as
// long, is not counted.
func measureRound(ctx context.Context, s settings, f *fleet.Fleet, c *callers, at string, kind request) (round, error) {
	quiet, err := storeCalls(f, func() error { return bench.Pause(ctx, s.round) })
	if err != nil {
		return round{}, err
	}
	one := round{request: kind.name}
	began := time.Now()
	busy, err := storeCalls(f, func() error {
		var err error
		one.served, err = c.play(ctx, at, kind, 0, s.round)
		return err
	})
	one.lasted = time.Since(began)
	if n := len(one.took); n > 0 {
		one.calls = max(0, float64(busy-quiet)/float64(n))
	}
	return one, err
}
