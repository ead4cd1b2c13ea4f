package gateway

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/proxy/push"
	"portico/proxy/session"
)

// A desktop goes from replica to replica while they are restarted, and the agent's state changes meanwhile. In
// whatever order that happens, it is told the last state.
func TestADesktopIsToldTheLastStateAfterAnyRestarts(t *testing.T) {
	const plays = 10
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for i := range uint64(plays) {
		synctest.Test(t, func(t *testing.T) { playRestarts(t, seed+i) })
	}
}

func playRestarts(t *testing.T, seed uint64) {
	p := &restarts{t: t, shared: newShared(), cloud: &htccsim.Server{}, chance: &chance{random: rand.New(rand.NewPCG(seed, 0))}, serving: map[*world]*sync.WaitGroup{}}
	for range 3 {
		p.start()
	}
	first := p.any()
	p.session = first.login("anna").SessionID()
	settle()
	first.fault(icwssim.Fault{Route: routeUserAll, Delay: time.Duration(1+p.below(300)) * time.Millisecond})
	desktop := first.openAt(p.serve, everything)
	state := ""
	for range 25 {
		switch p.below(4) {
		case 0, 1:
			state = []string{"Available", "At Lunch", "Gone Home", "At a training session"}[p.below(4)]
			first.set(icwssim.StateChange{User: "anna", StatusID: &state})
		case 2:
			p.reads()
		default:
			p.restart()
		}
		time.Sleep(time.Duration(p.below([]int{5, 100, 1500, 6000}[p.below(4)])) * time.Millisecond)
	}
	p.restarting.Wait()
	for range 12 { // as long as a reader takes to begin, with what it waits for at most
		time.Sleep(leaseEvery)
		p.reads()
	}
	voice, _, _ := strings.Cut(strings.TrimPrefix(p.reads(), "voice:"), " ")
	told := map[string]string{}
	for _, one := range desktop.heard() {
		what, _, _ := strings.Cut(one, " ")
		told[what] = one
	}
	for _, what := range []string{"device", "channels"} {
		if state != "" && !strings.Contains(told[what]+" ", ":"+voice+" ") {
			t.Errorf("seed %d: the desktop was last told %q; want %s of voice", seed, told[what], voice)
		}
	}
	if desktop.last != "" {
		t.Errorf("seed %d: the desktop ended with %q", seed, desktop.last)
	}
}

// restarts are replicas of which some are stopped and begin anew, but never the last.
type restarts struct {
	*shared
	*chance
	t          *testing.T
	cloud      *htccsim.Server
	session    string
	restarting sync.WaitGroup

	mu      sync.Mutex
	live    []*world                   // guarded by mu
	serving map[*world]*sync.WaitGroup // requests, guarded by mu
}

func (p *restarts) start() {
	join, line := p.join()
	w := newUnion(p.t, p.sim, p.cloud, join, func(s *Settings, _ *Site) {
		s.Push = push.New(push.Options{TrustClientSession: true, AckExtension: true, Journal: farJournal{p.journal.End(), p.chance}})
		s.Fleet.Leases = farLeases{line, p.chance}
	})
	w.sweepPages()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.live, p.serving[w] = append(p.live, w), &sync.WaitGroup{}
}

// restart stops a replica as a program is stopped, once nobody comes to it any more, and starts another one.
func (p *restarts) restart() {
	p.mu.Lock()
	if len(p.live) == 1 {
		p.mu.Unlock()
		return
	}
	at := p.below(len(p.live))
	old := p.live[at]
	p.live = append(p.live[:at:at], p.live[at+1:]...)
	serving := p.serving[old]
	p.mu.Unlock()
	p.restarting.Go(func() {
		old.settings.Push.Close()
		serving.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		old.Close(ctx)
		p.start()
	})
}

func (p *restarts) any() *world {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.live[p.below(len(p.live))]
}

func (p *restarts) reads() string {
	w := p.any()
	return w.shows(w.cookie(p.session))
}

// serve has some replica serve a request of the desktop.
func (p *restarts) serve(answer http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	w := p.live[p.below(len(p.live))]
	serving := p.serving[w]
	serving.Add(1)
	p.mu.Unlock()
	defer serving.Done()
	_, err := w.Login(context.WithoutCancel(r.Context()), Caller{SessionID: p.session})
	if err == nil {
		err = w.settings.Push.Serve(answer, r, p.session)
	}
	if err != nil {
		answer.WriteHeader(http.StatusInternalServerError)
	}
}

// chance is a source of chance for any number of goroutines.
type chance struct {
	mu     sync.Mutex
	random *rand.Rand // guarded by mu
}

func (c *chance) below(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.random.IntN(n)
}

// travel takes the time of a call that mostly comes at once.
func (c *chance) travel() {
	most := []int{1, 1, 1, 5, 20, 200}[c.below(6)]
	time.Sleep(time.Duration(c.below(most*1000)) * time.Microsecond)
}

// farJournal and farLeases take a while to answer. Append does not: who waits for it holds a lock, which keeps a
// test's clock from moving.
type (
	farJournal struct {
		push.Journal
		*chance
	}
	farLeases struct {
		session.Leases
		*chance
	}
)

func (j farJournal) Mark(ctx context.Context, owner, mark string) (string, error) {
	j.travel()
	defer j.travel()
	return j.Journal.Mark(ctx, owner, mark)
}

func (j farJournal) Since(ctx context.Context, owner string, position uint64) (push.Entries, error) {
	j.travel()
	defer j.travel()
	return j.Journal.Since(ctx, owner, position)
}

func (j farJournal) Take(ctx context.Context, owner, id string, connecting bool) (push.Record, push.Entries, error) {
	j.travel()
	defer j.travel()
	return j.Journal.Take(ctx, owner, id, connecting)
}

func (j farJournal) Save(ctx context.Context, owner string, r push.Record) error {
	j.travel()
	defer j.travel()
	return j.Journal.Save(ctx, owner, r)
}

func (l farLeases) Take(ctx context.Context, name, holder string, life time.Duration) (session.Lease, error) {
	l.travel()
	defer l.travel()
	return l.Leases.Take(ctx, name, holder, life)
}

func (l farLeases) Release(ctx context.Context, name, holder string) error {
	l.travel()
	defer l.travel()
	return l.Leases.Release(ctx, name, holder)
}
