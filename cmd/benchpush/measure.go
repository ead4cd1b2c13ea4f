package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"portico/cmd/internal/bench"
)

// Metrics of Portico's that say when a stage is reached.
const (
	streamsLive = `portico_upstream_streams{site="pureconnect",state="live",transport="sse"}`
	pollsHeld   = `portico_http_requests_in_flight{kind="push"}`
	socketsOpen = `portico_push_connections{transport="websocket"}`
)

// A stage is what stands at a reading.
type stage struct {
	name string
	reading
}

// measure measures everything and reports it.
func measure(ctx context.Context, s settings, stdout, stderr io.Writer) error {
	err := enoughFiles(3*s.agents + 500) // a stream, a poll and a websocket for each
	if err != nil {
		return err
	}
	r := &report{settings: s, load: loadNow()}
	err = withAgents(ctx, s.agents, s, stderr, r.take)
	if err != nil {
		return err
	}
	r.print(stdout)
	if s.csv != "" {
		return r.save(s.csv)
	}
	return nil
}

// withAgents has f work with so many agents who have yet to log in.
func withAgents(ctx context.Context, count int, s settings, stderr io.Writer, f func(context.Context, *scene, []*agent) error) error {
	scene, err := open(ctx, s, stderr)
	if err != nil {
		return err
	}
	defer scene.Close()
	return f(ctx, scene, newAgents(count, scene.Door))
}

// take takes every reading, from nobody logged in to events for all.
func (r *report) take(ctx context.Context, scene *scene, agents []*agent) error {
	err := r.stage(ctx, scene, "nobody is logged in")
	if err != nil {
		return err
	}
	err = each(ctx, agents, r.settings.atOnce, func(a *agent) error { return a.logIn(ctx) })
	if err != nil {
		return err
	}
	err = scene.await(ctx, streamsLive, float64(len(agents)))
	if err != nil {
		return err
	}
	err = r.stage(ctx, scene, "a session, its stream")
	if err != nil {
		return err
	}
	return r.held(ctx, scene, agents)
}

// held goes on with every agent holding a poll.
func (r *report) held(ctx context.Context, scene *scene, agents []*agent) error {
	clients, ctx := errgroup.WithContext(ctx)
	ctx, letGo := context.WithCancel(ctx)
	defer letGo()
	err := each(ctx, agents, r.settings.atOnce, func(a *agent) error { return a.subscribe(ctx) })
	if err != nil {
		return err
	}
	arrivals := &arrivals{}
	for _, a := range agents {
		clients.Go(func() error { return a.hold(ctx, arrivals.add) })
	}
	err = r.whileHeld(ctx, scene, agents, arrivals)
	letGo()
	failed := clients.Wait()
	if failed != nil {
		return failed
	}
	return err
}

// whileHeld takes the readings of those who hold polls.
func (r *report) whileHeld(ctx context.Context, scene *scene, agents []*agent, arrivals *arrivals) error {
	err := scene.await(ctx, pollsHeld, float64(len(agents)))
	if err != nil {
		return err
	}
	err = r.stage(ctx, scene, "a held long poll")
	if err != nil {
		return err
	}
	err = r.sockets(ctx, scene, agents)
	if err != nil {
		return err
	}
	for i := range r.settings.rounds {
		profiled := scene.profileRound(ctx, r.settings, i+1)
		round, err := scene.events(ctx, r.settings, agents, arrivals)
		err = errors.Join(err, <-profiled)
		if err != nil {
			return err
		}
		r.rounds = append(r.rounds, round)
	}
	return nil
}

// sockets reads what idle websockets cost, a second page for each agent, and closes them.
func (r *report) sockets(outer context.Context, scene *scene, agents []*agent) error {
	ctx, letGo := context.WithCancel(outer)
	pages, ctx := errgroup.WithContext(ctx)
	err := each(ctx, agents, r.settings.atOnce, func(a *agent) error {
		k, err := a.openSocket(ctx)
		if err == nil {
			pages.Go(func() error { return k.hold(ctx) })
		}
		return err
	})
	if err == nil {
		err = r.stage(ctx, scene, "an idle websocket besides")
	}
	letGo()
	failed := pages.Wait()
	if err == nil {
		err = failed
	}
	if err != nil {
		return err
	}
	return scene.await(outer, socketsOpen, 0) // clients without a socket are swept after a while
}

// stage takes a reading.
func (r *report) stage(ctx context.Context, scene *scene, name string) error {
	reading, err := scene.read(ctx)
	if err != nil {
		return err
	}
	r.stages = append(r.stages, stage{name, reading})
	if r.settings.profiles == "" {
		return nil
	}
	return scene.profiles(ctx, r.settings.profiles, len(r.stages))
}

// enoughFiles checks the limit of open files, which Portico meets first. Go raises the soft limit to the
// hard one by itself.
func enoughFiles(need int) error {
	var limit syscall.Rlimit
	err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	if err == nil && limit.Max < uint64(need) {
		return fmt.Errorf("so many agents need %d open files and the limit is %d: raise it with ulimit -Hn, or take fewer", need, limit.Max)
	}
	return err
}

// loadNow returns the machine's load average, and when that was.
func loadNow() string { return bench.LoadAverage() + " at " + time.Now().Format(time.TimeOnly) }
