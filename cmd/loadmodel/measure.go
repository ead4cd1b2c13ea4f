package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"
)

// A result is what a mode cost the contact centres.
type result struct {
	mode    mode
	missing string // why Portico could not be started in this mode, in its own words; "" if it was played
	calls   map[key]int
	wrong   []string      // where the counts are not the simulators' own
	wall    time.Duration // from before the first log-in to after the last log-out
	failed  int           // steps of applications
	failure error         // the first of them
}

// longest is how long a mode may take: a machine much too slow is not waited for.
func longest(duration time.Duration) time.Duration { return 10*duration + 2*time.Minute }

// measure plays the shift in one mode. It fails where the shift could not be played to its end; that
// Portico does not have the mode is a result.
func measure(ctx context.Context, m mode, built program, agents int, duration time.Duration) (result, error) {
	slow := fmt.Errorf("not over within %v: the machine is too slow for so many agents; try fewer, or a longer --duration", longest(duration))
	ctx, cancel := context.WithTimeoutCause(ctx, longest(duration), slow)
	defer cancel()
	r := newRoster(agents)
	centres, err := openCentres(r)
	if err != nil {
		return result{}, err
	}
	defer closeAll(centres)
	if m.direct {
		return finish(ctx, m, r, centres, duration, nil)
	}
	portico, err := start(ctx, built, m, centres)
	refusal, refused := errors.AsType[notAvailable](err)
	if refused {
		return result{mode: m, missing: refusal.Error()}, nil
	}
	if err != nil {
		return result{}, err
	}
	return finish(ctx, m, r, centres, duration, portico)
}

// finish plays the shift, has Portico stop, and reads the counts when nobody is left to add to them.
func finish(ctx context.Context, m mode, r roster, centres map[kind]*centre, duration time.Duration, portico *running) (result, error) {
	began := time.Now()
	life, end := context.WithCancel(ctx)
	defer end()
	s := newShift(life, r, centres, portico, duration)
	err := s.play(ctx)
	if portico != nil {
		err = errors.Join(err, portico.stop())
	}
	if err != nil {
		return result{}, err
	}
	got := result{mode: m, calls: map[key]int{}, wall: time.Since(began), failed: s.count, failure: s.first}
	for _, k := range kinds {
		wrong, err := centres[k].check(ctx)
		if err != nil {
			return result{}, err
		}
		got.wrong = append(got.wrong, wrong...)
		maps.Copy(got.calls, centres[k].counted())
	}
	return got, nil
}
