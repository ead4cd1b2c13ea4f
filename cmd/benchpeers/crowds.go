package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// roomy lets a crowd come from the one address that a machine has.
const roomy = "limits: {requests: 10000, strangers: 20000, strangers_per_address: 20000}\n"

// crowds measures what does not fit a contest: many who come at once, unpinned.
func (r *report) crowds(ctx context.Context, stderr io.Writer) error {
	err := r.crowded(ctx, roomy, func(w *world) error {
		cookie, err := logIn(ctx, w.door, agentName(theReader))
		if err != nil {
			return err
		}
		err = w.awaitStream(ctx) // which brings the catalogue too
		if err != nil {
			return err
		}
		err = w.openLoop(ctx, stderr)
		if err != nil {
			return err
		}
		direct, err := logInAtSite(ctx, w.site, agentName(theReader-1))
		if err != nil {
			return err
		}
		for range r.settings.rounds {
			one, err := w.rush(ctx, cookie, direct)
			if err != nil {
				return fmt.Errorf("first readers: %w", err)
			}
			r.rushes = append(r.rushes, one)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return r.crowded(ctx, roomy+"cache: {scope: shared}\n", func(w *world) error {
		s, err := w.storm(ctx, r.settings.agents)
		if err != nil {
			return fmt.Errorf("storm of log-ins: %w", err)
		}
		r.storm = s
		return nil
	})
}

// crowded opens a world without peers for f.
func (r *report) crowded(ctx context.Context, more string, f func(*world) error) error {
	home, err := newHouse()
	if err != nil {
		return err
	}
	w := &world{house: home, mode: modes[len(modes)-1]}
	defer w.Close()
	err = w.open(ctx, r.settings.portico, more)
	if err != nil {
		return err
	}
	return f(w)
}

// awaitStream waits until the agent's event stream is there, as Portico's metrics have it.
func (w *world) awaitStream(ctx context.Context) error {
	for {
		live, err := w.metric(ctx, `portico_upstream_streams{site="pureconnect",state="live",transport="sse"}`)
		if err != nil || live > 0 {
			return err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
