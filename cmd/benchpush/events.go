package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"portico/cmd/internal/bench"
)

// A round is what became of events at a steady rate for some time.
type round struct {
	load     string
	sent     int
	rate     float64            // that was reached, events a second
	took     time.Duration      // of processors, by Portico
	arrived  []time.Duration    // sorted: from the sending of the change to its notification at the client
	accepted []time.Duration    // sorted: until the simulator had answered the change, its own part of that time
	inside   float64            // ms that 99 of 100 notifications at most spent in Portico, as its own metrics have it
	busy     map[string]float64 // processors, by process
	answers  float64            // to connects, for each event
}

// each is the processor time that Portico took for each event, all of it: from the stream to the next connect.
func (r round) each() time.Duration {
	if len(r.arrived) == 0 {
		return 0
	}
	return r.took / time.Duration(len(r.arrived))
}

// arrivals takes the times of events. Any number of goroutines may call its methods.
type arrivals struct {
	mu    sync.Mutex
	times []time.Duration // guarded by mu
}

func (a *arrivals) add(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.times = append(a.times, d)
}

// clear returns the times so far, sorted, and forgets them.
func (a *arrivals) clear() []time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	times := a.times
	a.times = nil
	slices.Sort(times)
	return times
}

// senders is how many changes, or reads, may be on their way together.
const senders = 16

// late is how long a notification is waited for after the last change.
const late = 3 * time.Second

// events changes the status of one agent after the other, at the contact centre, at a steady rate.
func (s *scene) events(ctx context.Context, set settings, agents []*agent, notified *arrivals) (round, error) {
	r := round{load: loadNow()}
	notified.clear()
	defer uncollected()()
	counted, err := s.metrics(ctx)
	if err != nil {
		return r, err
	}
	answered, accepted := answers(agents), &arrivals{}
	err = r.watch(s, func() error {
		r.sent, err = s.change(ctx, float64(set.rate), set.round, agents, accepted)
		return err
	})
	if err != nil {
		return r, err
	}
	err = bench.Pause(ctx, late)
	if err != nil {
		return r, err
	}
	r.inside, err = s.deliveries(ctx, counted)
	r.arrived, r.accepted = notified.clear(), accepted.clear()
	r.answers = float64(answers(agents)-answered) / float64(max(len(r.arrived), 1))
	for _, a := range agents {
		a.sent.Store(0) // what is lost is not waited for
	}
	return r, err
}

// watch notes what processes do while events are sent, and at which rate they are.
func (r *round) watch(s *scene, send func() error) error {
	pids := map[string]int{"Portico": s.Portico.PID(), "simulator": s.ICWS.PID(), "driver": os.Getpid()}
	before, err := processorTimes(pids)
	if err != nil {
		return err
	}
	began := time.Now()
	err = send()
	if err != nil {
		return err
	}
	took := time.Since(began).Seconds()
	after, err := processorTimes(pids)
	if err != nil {
		return err
	}
	r.rate, r.took, r.busy = float64(r.sent)/took, after["Portico"]-before["Portico"], map[string]float64{}
	for name := range pids {
		r.busy[name] = (after[name] - before[name]).Seconds() / took
	}
	return nil
}

// answers returns how many connects of theirs were answered so far.
func answers(agents []*agent) int64 {
	var all int64
	for _, a := range agents {
		all += a.answers.Load()
	}
	return all
}

// uncollected collects the driver's garbage, and then no more until the function that it returns is
// called: agents have machines of their own, and what is measured is not to wait for these.
func uncollected() (collect func()) {
	runtime.GC()
	percent := debug.SetGCPercent(-1)
	return func() { debug.SetGCPercent(percent) }
}

// deliveries returns the bound of Portico's histogram, in ms, that 99 of 100 deliveries since the
// earlier metrics stayed below: from the site's message to the answer written.
func (s *scene) deliveries(ctx context.Context, earlier map[string]float64) (float64, error) {
	const family = "portico_push_delivery_duration_seconds"
	now, err := s.metrics(ctx)
	if err != nil {
		return 0, err
	}
	all := now[family+"_count"] - earlier[family+"_count"]
	least := math.Inf(1)
	for name, value := range now {
		var bound float64
		_, err = fmt.Sscanf(name, family+`_bucket{le="%g"}`, &bound)
		if err == nil && value-earlier[name] >= 0.99*all {
			least = min(least, bound)
		}
	}
	return 1000 * least, nil
}

func processorTimes(pids map[string]int) (map[string]time.Duration, error) {
	times := map[string]time.Duration{}
	for name, pid := range pids {
		var err error
		times[name], err = processorTime(pid)
		if err != nil {
			return nil, err
		}
	}
	return times, nil
}

// change gives agents another status at a steady rate, and returns how many were given one.
func (s *scene) change(ctx context.Context, rate float64, length time.Duration, agents []*agent, accepted *arrivals) (int, error) {
	var sent atomic.Int64
	err := atRate(ctx, rate, length, agents, func(ctx context.Context, queue <-chan *agent) error {
		return s.sendChanges(ctx, queue, &sent, accepted)
	})
	return int(sent.Load()), err
}

// atRate hands one agent after the other, so many a second, to a number of workers, until one fails.
func atRate(ctx context.Context, rate float64, length time.Duration, agents []*agent, worker func(context.Context, <-chan *agent) error) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	queue := make(chan *agent, senders)
	var work sync.WaitGroup
	for range senders {
		work.Go(func() {
			err := worker(ctx, queue)
			if err != nil {
				fail(err)
			}
		})
	}
	pace(ctx, rate, length, func(i int) {
		select {
		case queue <- agents[i%len(agents)]:
		case <-ctx.Done():
		}
	})
	close(queue)
	work.Wait()
	return context.Cause(ctx)
}

// pace calls f for 0, 1 and so on at a rate.
func pace(ctx context.Context, rate float64, length time.Duration, f func(i int)) {
	began := time.Now()
	for i := range int(length.Seconds() * rate) {
		due := began.Add(time.Duration(float64(i) / rate * float64(time.Second)))
		if wait := time.Until(due); wait > 0 {
			time.Sleep(wait)
		}
		if ctx.Err() != nil {
			return
		}
		f(i)
	}
}

// statuses are what agents are given in turn. All of them differ in what /me shows.
var statuses = []string{"At Lunch", "At Play", "In a meeting"}

// sendChanges gives agents another status as if by another client of the contact centre.
func (s *scene) sendChanges(ctx context.Context, queue <-chan *agent, sent *atomic.Int64, accepted *arrivals) error {
	w, err := dial(ctx, s.ICWSHost)
	if err != nil {
		return err
	}
	defer w.close()
	for a := range queue {
		body := fmt.Sprintf(`{"user":%q,"statusId":%q}`, a.name, statuses[int(a.changes.Add(1))%len(statuses)])
		request := fmt.Appendf(nil, "POST /_sim/state HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s", s.ICWSHost, len(body), body)
		began := time.Now()
		a.sent.Store(began.UnixNano())
		answer, said, err := w.do(request)
		if err != nil {
			return err
		}
		if answer.StatusCode != 200 {
			return fmt.Errorf("the simulator refuses to change %s: %s", a.name, said)
		}
		sent.Add(1)
		accepted.add(time.Since(began))
	}
	return nil
}
