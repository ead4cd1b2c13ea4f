package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// A shift is one mode being played.
type shift struct {
	roster  roster
	apps    []application
	plans   []map[string][]event
	factor  float64       // the shift's time by the clock's
	pause   time.Duration // after the log-in wave
	portico *running      // nil: applications call the contact centres themselves
	centres map[kind]*centre
	failures
}

// failures are what went wrong for applications.
type failures struct {
	mu    sync.Mutex
	count int   // guarded by mu
	first error // guarded by mu
}

func (f *failures) failed(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count++
	if f.first == nil {
		f.first = err
	}
}

// echoes is a little longer than Portico reads activations before each change of state once it has set
// some, since messages about them may be under way. In a shift that is not compressed the next change
// comes minutes later, here it would come within that time.
const echoes = 6 * time.Second

// newShift returns a shift whose applications reach Portico, or where that is nil the contact centres
// themselves. They live as long as life.
func newShift(life context.Context, r roster, centres map[kind]*centre, portico *running, duration time.Duration) *shift {
	s := &shift{roster: r, centres: centres, portico: portico, factor: float64(shiftLength) / float64(duration)}
	at := centres[htcc].address
	if portico != nil {
		at, s.pause = portico.address, echoes
	}
	by := transport(len(r))
	context.AfterFunc(life, by.CloseIdleConnections)
	for _, a := range r {
		s.plans = append(s.plans, a.plan())
		if portico == nil && a.kind == icws {
			s.apps = append(s.apps, &icwsApp{agent: a, base: "http://" + centres[icws].address, http: &http.Client{Transport: by}, life: life, failed: s.failed})
			continue
		}
		s.apps = append(s.apps, newHTCCApp(life, a, "http://"+at, by, s.failed))
	}
	return s
}

// play plays the phases one after the other. It fails when ctx ends first.
func (s *shift) play(ctx context.Context) error {
	defer s.close()
	for _, p := range shiftPlan {
		err := s.phase(ctx, p)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *shift) phase(ctx context.Context, p phase) error {
	for _, c := range s.centres {
		c.begin(p)
	}
	if p == siteBreak {
		for _, c := range s.centres {
			err := c.drop()
			if err != nil {
				return err
			}
		}
	}
	s.everybody(ctx, p)
	if p == logInWave {
		rest(ctx, s.pause)
	}
	if p == logInWave || p == siteBreak {
		s.settle(ctx)
	}
	return nil
}

// everybody has all agents do what they do in a phase, and waits for the last.
func (s *shift) everybody(ctx context.Context, p phase) {
	began := time.Now()
	var busy sync.WaitGroup
	for i, a := range s.roster {
		busy.Go(func() { s.work(ctx, i, began, p) })
		if a.polls(p) > 0 {
			busy.Go(func() { s.poll(ctx, i, began, p) })
		}
	}
	busy.Wait()
	s.until(ctx, began, p.length)
}

// work takes one agent through a phase. Steps that are late are taken at once: none is left out.
func (s *shift) work(ctx context.Context, i int, began time.Time, p phase) {
	for _, e := range s.plans[i][p.name] {
		s.until(ctx, began, e.at)
		if ctx.Err() != nil {
			return
		}
		err := take(ctx, s.apps[i], e)
		if err != nil && ctx.Err() == nil {
			s.failed(fmt.Errorf("%s (%s): %s: %w", s.roster[i].name, s.roster[i].persona, e.step, err))
		}
	}
}

func take(ctx context.Context, app application, e event) error {
	switch e.step {
	case logIn:
		return app.logIn(ctx)
	case logOut:
		return app.logOut(ctx)
	case change:
		return app.change(ctx, e.to)
	case reload:
		return app.reload(ctx)
	case foreground:
		return app.foreground(ctx)
	default:
		return app.reconnect(ctx)
	}
}

// poll has one agent's application poll through a phase.
func (s *shift) poll(ctx context.Context, i int, began time.Time, p phase) {
	for n := range s.roster[i].polls(p) {
		s.until(ctx, began, time.Duration(n)*pollEvery)
		if ctx.Err() != nil {
			return
		}
		err := s.apps[i].poll(ctx)
		if err != nil && ctx.Err() == nil {
			s.failed(fmt.Errorf("%s: poll: %w", s.roster[i].name, err))
		}
	}
}

// until waits until so much of the shift has passed since a phase began.
func (s *shift) until(ctx context.Context, began time.Time, at time.Duration) {
	wait := time.Until(began.Add(time.Duration(float64(at) / s.factor)))
	if wait > 0 {
		rest(ctx, wait)
	}
}

// Portico reads and subscribes after it has answered a log-in. What it began in a phase is over once
// its readers receive and the contact centres were asked nothing for quiet, apart from what goes by the
// clock; it is waited for until settleWithin.
const (
	quiet        = time.Second
	settleWithin = 30 * time.Second
)

// settle waits until what was begun is over. Nobody works or polls meanwhile.
func (s *shift) settle(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	for before := -1; ctx.Err() == nil; {
		now := 0
		for _, c := range s.centres {
			now += c.untimed()
		}
		if now == before && (s.portico == nil || s.portico.receives(ctx)) {
			return
		}
		before = now
		rest(ctx, quiet)
	}
}

func (s *shift) close() {
	for _, app := range s.apps {
		app.close()
	}
}
