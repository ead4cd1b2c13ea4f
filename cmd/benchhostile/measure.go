package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"portico/cmd/internal/bench"
)

// A round is one stretch of time: in quiet, or under an attack.
type round struct {
	name   string // "" = quiet
	served served
	got    outcome
}

// measure runs quiet rounds and attacks in turn and prints how agents were served.
func measure(ctx context.Context, s settings, stdout, stderr io.Writer) error {
	scene, err := bench.Open(ctx, s.portico, bench.Settings{}, stderr)
	if err != nil {
		return err
	}
	defer scene.Close()
	agents, err := logIn(ctx, scene.Door, s)
	if err != nil {
		return err
	}
	list := names()
	if s.only != "" {
		list = []string{s.only}
	}
	report := &report{settings: s}
	for _, name := range list {
		for _, attack := range []string{"", name} {
			one, err := play(ctx, s, agents, attack, stderr)
			if err != nil {
				return err
			}
			report.rounds = append(report.rounds, one)
		}
	}
	report.print(stdout)
	if s.csv != "" {
		return report.save(s.csv)
	}
	return nil
}

// settleFor is how long an attack goes on before anything is measured, and how long its end is waited for.
const settleFor = 2 * time.Second

// play runs one round, under an attack if it has a name. An attack that comes to an end is played to it.
func play(ctx context.Context, s settings, agents *agents, attack string, stderr io.Writer) (round, error) {
	one := round{name: attack}
	length := s.round + settleFor
	if attack == wrongLoginsName {
		length = s.longest
	}
	working, stop := context.WithTimeout(ctx, length)
	defer stop()
	var ended error
	var attacking sync.WaitGroup
	if attack != "" {
		outcome, err := send(working, attack, agents.door, stderr)
		if err != nil {
			return one, err
		}
		attacking.Go(func() {
			one.got, ended = outcome()
			stop()
		})
	}
	err := bench.Pause(ctx, settleFor)
	if err != nil {
		return one, err
	}
	one.served = agents.work(working)
	attacking.Wait()
	if ctx.Err() != nil {
		return one, fmt.Errorf("stopped: %w", context.Cause(ctx))
	}
	return one, ended
}
