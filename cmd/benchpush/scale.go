package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"portico/cmd/internal/bench"
)

// A step is what Portico uses with a number of agents at work.
type step struct {
	agents  int
	load    string        // average of the machine, as the step ends
	coming  time.Duration // all of them together: from the first log-in until each has its stream and holds a poll
	memory  float64       // bytes, the proportional share (PSS), at rest and after a collection
	atWork  float64       // bytes of it while they work, with what waits for collection
	heap    float64       // bytes that are reachable
	stacks  float64       // bytes
	threads float64       // goroutines
	files   float64       // that are open
	idle    float64       // processors, while nobody does anything
	busy    float64       // processors, while they work
	cleared time.Duration // of processors, for one collection
	pauses  []time.Duration
	shift
}

// growth is the run that measures how what Portico uses grows with the number of agents.
type growth struct {
	settings settings
	load     string
	empty    step // before anybody has come
	steps    []step
}

// grow lets agents come until there are as many as each step wants, and measures each.
func grow(ctx context.Context, s settings, stdout, stderr io.Writer) error {
	most := s.scale[len(s.scale)-1]
	err := enoughFiles(2*most + 1000) // a stream and a poll for each
	if err != nil {
		return err
	}
	g := &growth{settings: s, load: loadNow()}
	err = withAgents(ctx, most, s, stderr, g.take)
	if err != nil {
		return err
	}
	g.print(stdout)
	return g.save()
}

// take takes every step.
func (g *growth) take(ctx context.Context, scene *scene, agents []*agent) error {
	err := g.empty.rest(ctx, scene)
	if err != nil {
		return err
	}
	clients, ctx := errgroup.WithContext(ctx)
	ctx, letGo := context.WithCancel(ctx)
	crowd := &crowd{scene: scene, atOnce: g.settings.atOnce, clients: clients, notified: &arrivals{}}
	for _, count := range g.settings.scale {
		var one step
		one, err = crowd.step(ctx, agents[:count], g.settings.steady)
		if err != nil {
			break
		}
		g.steps = append(g.steps, one)
	}
	letGo()
	return errors.Join(err, clients.Wait())
}

// A crowd is the agents who are there.
type crowd struct {
	scene    *scene
	atOnce   int             // log-ins side by side
	clients  *errgroup.Group // that hold polls
	notified *arrivals
	here     int
	coming   time.Duration // that they took so far
}

// step has the crowd grow to these agents and measures it: at rest, at work, and while garbage is collected.
func (c *crowd) step(ctx context.Context, agents []*agent, steady time.Duration) (step, error) {
	err := c.join(ctx, agents)
	if err != nil {
		return step{}, err
	}
	one := step{agents: len(agents), coming: c.coming}
	err = one.rest(ctx, c.scene)
	if err != nil {
		return one, err
	}
	one.shift, one.busy, err = c.work(ctx, agents, steady, func() error { return bench.Pause(ctx, steady) })
	if err != nil {
		return one, err
	}
	one.atWork, err = memory(c.scene.Portico.PID(), "Pss")
	if err != nil {
		return one, err
	}
	_, _, err = c.work(ctx, agents, steady, func() error { return one.collect(ctx, c.scene) })
	one.load = loadNow()
	return one, err
}

// join brings in those agents who are not there yet.
func (c *crowd) join(ctx context.Context, agents []*agent) error {
	began := time.Now()
	coming := agents[c.here:]
	err := each(ctx, coming, c.atOnce, func(a *agent) error { return a.logIn(ctx) })
	if err != nil {
		return err
	}
	err = each(ctx, coming, c.atOnce, func(a *agent) error { return a.subscribe(ctx) })
	if err != nil {
		return err
	}
	for _, a := range coming {
		c.clients.Go(func() error { return a.hold(ctx, c.notified.add) })
	}
	for _, name := range []string{streamsLive, pollsHeld} {
		err = c.scene.await(ctx, name, float64(len(agents)))
		if err != nil {
			return err
		}
	}
	c.here = len(agents)
	c.coming += time.Since(began)
	return nil
}

// idleFor is how long what Portico does for nobody is measured.
const idleFor = 4 * time.Second

// collections is how many are made at rest, and while agents work.
const collections = 10

// rest measures a Portico at rest.
func (s *step) rest(ctx context.Context, scene *scene) error {
	reading, err := scene.read(ctx)
	if err != nil {
		return err
	}
	s.heap, s.stacks, s.threads = reading.heap, reading.stacks, reading.goroutines
	s.memory, err = memory(scene.Portico.PID(), "Pss")
	if err != nil {
		return err
	}
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", scene.Portico.PID()))
	if err != nil {
		return err
	}
	s.files = float64(len(files))
	idle, err := scene.processors(func() error { return bench.Pause(ctx, idleFor) })
	s.idle = idle.Seconds() / idleFor.Seconds()
	if err != nil {
		return err
	}
	cleared, err := scene.processors(func() error { return scene.collect(ctx, 0) })
	s.cleared = cleared / collections
	return err
}

// collect has garbage collected while agents work, and keeps for how long the world stood still.
func (s *step) collect(ctx context.Context, scene *scene) error {
	err := scene.collect(ctx, 200*time.Millisecond)
	if err != nil {
		return err
	}
	s.pauses, err = scene.pauses(ctx, collections)
	return err
}
