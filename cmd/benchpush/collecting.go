package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"portico/cmd/internal/bench"
)

// processors returns how long Portico keeps processors busy while f runs.
func (s *scene) processors(f func() error) (time.Duration, error) {
	before, err := processorTime(s.Portico.PID())
	if err != nil {
		return 0, err
	}
	err = f()
	if err != nil {
		return 0, err
	}
	after, err := processorTime(s.Portico.PID())
	return after - before, err
}

// collect has Portico collect its garbage, again and again.
func (s *scene) collect(ctx context.Context, between time.Duration) error {
	for range collections {
		err := s.profile(ctx, "heap?gc=1", io.Discard)
		if err != nil {
			return err
		}
		err = bench.Pause(ctx, between)
		if err != nil {
			return err
		}
	}
	return nil
}

// pauses returns for how long the last collections stopped everything, sorted.
func (s *scene) pauses(ctx context.Context, last int) ([]time.Duration, error) {
	body, err := s.ask(ctx, "/debug/pprof/heap?debug=1")
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return pausesIn(body, last)
}

// pausesIn reads the pauses from the text of a heap profile, which ends with what runtime.MemStats holds.
//
// Source: runtime, MemStats.PauseNs: a circular buffer, the most recent at (NumGC+255)%256.
func pausesIn(profile io.Reader, last int) ([]time.Duration, error) {
	var ring []string
	number := 0
	lines := bufio.NewScanner(profile)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " = ")
		switch name {
		case "# PauseNs":
			ring = strings.Fields(strings.Trim(value, "[]"))
		case "# NumGC":
			number, _ = strconv.Atoi(value)
		}
	}
	if lines.Err() != nil || number < last || len(ring) < last {
		return nil, errors.Join(lines.Err(), errors.New("the heap profile tells of too few collections"))
	}
	var all []time.Duration
	for i := range last {
		ns, err := strconv.Atoi(ring[(number-1-i)%len(ring)])
		if err != nil {
			return nil, err
		}
		all = append(all, time.Duration(ns))
	}
	slices.Sort(all)
	return all, nil
}
