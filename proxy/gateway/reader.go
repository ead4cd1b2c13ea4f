package gateway

import (
	"context"
	"sync"
	"time"

	"portico/proxy/session"
)

// How long the right to read an agent's upstream sessions is given for, and how often it is asked for.
// A replica that dies is replaced within the first.
const (
	leaseLife  = 15 * time.Second
	leaseEvery = 5 * time.Second

	// leaseMargin is how long before its lease runs out a reader stops that could not renew it.
	leaseMargin = 2 * time.Second
)

// A reader receives what the sites push for an agent, as long as this process holds the agent's lease.
// One goroutine uses it.
type reader struct {
	agent       *Agent
	holder      string // of the lease
	stop        func() // nil while nothing is read
	takes       func() // over what is told, once more
	first       bool   // nobody can have told the agent's applications anything yet
	work        sync.WaitGroup
	deaf        func()      // ends to listen for operations of other replicas
	until       time.Time   // when the lease runs out
	expires     *time.Timer // ends what is read before that
	fence       uint64
	came        time.Time     // when applications began to wait here; zero while none do
	left        time.Time     // when the lease was left to others last
	leavesUntil time.Time     // until when it is
	asked       time.Time     // when the lease was asked for last
	next        time.Duration // from then on until it is asked for again
	freed       chan struct{} // room for one: another replica has given it up
	quits       func()        // to listen for that; nil while nobody does
}

// leaseOf returns the name of the lease to read an agent's upstream sessions.
func leaseOf(login string) string { return "reader/" + login }

// tend keeps an agent in step with the other replicas until the session ends here: who reads, when it
// was used, and what its upstream sessions are. fresh says that the session begins here.
func (f *fleet) tend(a *Agent, fresh bool) {
	r := &reader{agent: a, holder: f.readers.begin(a.Login(), leaseLife).holder, first: fresh, freed: make(chan struct{}, 1)}
	defer f.leave(r)
	defer r.attend(false)
	for due := true; ; {
		reads := r.stop != nil
		if reads { // before what takes several times as long where the store is slow
			f.contend(r)
		}
		if due {
			f.report(a)
			f.yield(r)
		}
		if !reads {
			f.contend(r)
		}
		r.attend(r.stop == nil)
		select {
		case <-a.life.Done():
			return
		case <-time.After(time.Until(r.asked.Add(r.next))):
			due = true
		case <-r.freed: // also by whom it was left to
			due = false
			if time.Since(r.left) >= echoWithin {
				r.leavesUntil = time.Time{}
			}
		}
	}
}

// attend listens for a lease that is given up, or does no more. What was given up before it was heard of is asked for
// once more too.
func (r *reader) attend(listens bool) {
	switch {
	case listens && r.quits == nil:
		r.quits = r.agent.gateway.fleet.Bell.Hear(r.agent.vacancy(), func() {
			select {
			case r.freed <- struct{}{}:
			default: // it will be asked for anyway
			}
		})
	case !listens && r.quits != nil:
		r.quits()
		r.quits = nil
	}
}

// vacant tells the other replicas that the agent, who was read here, is for one of them to read.
func (a *Agent) vacant(ctx context.Context) { _ = a.gateway.fleet.Bell.Ring(ctx, a.vacancy()) }

func (a *Agent) vacancy() string { return "vacancies/" + a.session.ID }

// contend takes or renews the lease, and begins or stops to read.
func (f *fleet) contend(r *reader) {
	r.asked, r.next = time.Now(), leaseEvery
	if r.asked.Before(r.leavesUntil) {
		return
	}
	ctx, cancel := context.WithTimeout(r.agent.life, leaseEvery-leaseMargin)
	defer cancel()
	lease, err := f.Leases.Take(ctx, leaseOf(r.agent.Login()), r.holder, leaseLife)
	if !lease.Held && lease.Left > 0 { // whoever has it may have died
		r.next = min(r.next, lease.Left)
	}
	switch {
	case r.agent.life.Err() != nil:
	case err != nil && r.stop != nil && time.Until(r.until) > leaseEvery+leaseMargin: // there is another try
		f.gateway.log.Warn("the lease of a reader could not be renewed", "session", r.agent.short, "cause", err.Error())
	case err != nil || !lease.Held:
		r.lose()
	default:
		r.hold(lease, r.asked.Add(leaseLife))
	}
}

// hold begins to read, or goes on, until the lease runs out.
func (r *reader) hold(lease session.Lease, until time.Time) {
	if r.stop != nil && (!r.expires.Stop() || r.fence != lease.Fence) { // somebody else may have read meanwhile
		r.lose()
	}
	if r.stop == nil {
		r.agent.gateway.settings.Metrics.lease(leaseAcquired)
	}
	r.until, r.fence = until, lease.Fence
	r.begin()
}

// lose stops reading, if something is read.
func (r *reader) lose() {
	if r.stop != nil {
		r.agent.gateway.settings.Metrics.lease(leaseLost)
	}
	r.end()
	r.first = false // others may read from now on
}

// begin has every part read, unless it does. Then it takes over what is told once more, if the store did not
// answer what that was, or that it is marked.
func (r *reader) begin() {
	if r.stop != nil {
		r.expires.Reset(time.Until(r.until) - leaseMargin)
		if r.agent.unmarked.CompareAndSwap(true, false) {
			r.run(r.takes)
		}
		return
	}
	ctx, stop := context.WithCancel(r.agent.life)
	r.stop = sync.OnceFunc(func() {
		r.agent.leased.Store(false)
		stop()
	})
	r.expires = time.AfterFunc(time.Until(r.until)-leaseMargin, r.stop)
	r.deaf = r.agent.listen()
	r.agent.leased.Store(true)
	for _, p := range r.agent.parts {
		r.run(func() { p.watch(ctx) })
	}
	r.agent.unmarked.Store(false) // of an earlier time
	r.takes = func() { r.agent.takeOver(ctx) }
	if r.first {
		r.takes = r.agent.markFirst
		r.run(func() { r.agent.tellFirst(ctx) })
		return
	}
	r.run(r.takes)
}

// run has a goroutine of the agent's do what end waits for.
func (r *reader) run(f func()) {
	r.work.Add(1)
	started := r.agent.start(func() {
		defer r.work.Done()
		f()
	})
	if !started { // the agent has ended
		r.work.Done()
	}
}

// end stops reading, and returns once nothing is read any more, and what was read has been told.
func (r *reader) end() {
	if r.stop == nil {
		return
	}
	r.expires.Stop()
	r.stop()
	r.work.Wait()
	r.deaf() // not while what was pushed is still shown
	r.agent.handOver()
	r.stop = nil
}

// leave stops reading for good and gives the lease to who asks next. It stays here while the agent has another session
// here, of before or since: that one reads by the same lease, and would go on beside whoever took it.
func (f *fleet) leave(r *reader) {
	read := r.stop != nil
	r.end()
	last := f.readers.end(r.agent.Login())
	if !read {
		return
	}
	r.first = false // others read from now on
	if !last {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaseEvery)
	defer cancel()
	err := f.release(ctx, leaseOf(r.agent.Login()), r.holder)
	if err != nil {
		f.gateway.log.Warn("the lease of a reader was not given up and runs out", "session", r.agent.short, "cause", err.Error())
	}
}
