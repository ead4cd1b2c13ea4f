package upstream

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"portico/proxy/fault"
	"portico/proxy/upstream/memhttp"
	"portico/proxy/upstream/rig"
)

// A guarded caller calls the host ic1 of the site "pc", which answers as the test says.
type guarded struct {
	*Caller
	t       testing.TB
	metrics *Metrics
	answer  http.HandlerFunc
	asked   atomic.Int32
}

func newGuarded(t testing.TB, limits Limits) *guarded {
	g := &guarded{t: t, answer: rig.Says("text/plain", 200, "ok")}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.asked.Add(1)
		g.answer(w, r)
	})
	g.Caller, g.metrics = newCaller(t, memhttp.Network{"ic1": handler, "ic2": handler})
	g.Guard = NewGuard(g.Site, limits, nil)
	return g
}

// get makes a call that may be repeated.
func (g *guarded) get(ctx context.Context) (Reply, error) {
	return g.DoRepeatable(newRequest(g.t, ctx, "http://ic1/"), "get", 100)
}

// ask makes a call that may not.
func (g *guarded) ask(ctx context.Context, host string) error {
	_, err := g.Do(newRequest(g.t, ctx, "http://"+host+"/"), "get", 100)
	return err
}

// shorts returns how many calls were refused here for a reason.
func (g *guarded) shorts(why short) int {
	return int(testutil.ToFloat64(g.metrics.shorts.WithLabelValues("pc", "get", string(why))))
}

// wantRefusedHere holds an error to one that the door answers with 503, HTCC's 4 and Retry-After.
func wantRefusedHere(t testing.TB, what string, err error) {
	t.Helper()
	if fault.Status(err) != http.StatusServiceUnavailable || fault.Code(err) != 4 || fault.RetryAfter(err) < time.Second {
		t.Errorf("%s: %v (HTTP %d, code %d, again after %v); want 503, 4 and at least a second",
			what, err, fault.Status(err), fault.Code(err), fault.RetryAfter(err))
	}
}

func TestTheBulkheadHasSoManyPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuarded(t, Limits{Calls: 2, CallWait: time.Second})
		g.answer = func(http.ResponseWriter, *http.Request) { time.Sleep(3 * time.Second) }
		var calls sync.WaitGroup
		for range 2 {
			calls.Go(func() {
				if err := g.ask(t.Context(), "ic1"); err != nil {
					t.Errorf("a call with a place: %v", err)
				}
			})
		}
		synctest.Wait()
		began := time.Now()
		wantRefusedHere(t, "a call without a place", g.ask(t.Context(), "ic1"))
		if waited := time.Since(began); waited != time.Second {
			t.Errorf("it waited %v; want 1s", waited)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		wantRefusedHere(t, "a call whose time is over", g.ask(ctx, "ic1"))
		if err := g.ask(WithCause(t.Context(), Probe), "ic2"); err != nil {
			t.Errorf("a probe of a busy site: %v", err)
		}
		calls.Wait()
		if err := g.ask(t.Context(), "ic1"); err != nil {
			t.Errorf("a call after the others: %v", err)
		}
		if got := []int{g.shorts(shortBulkhead), g.shorts(shortDeadline)}; got[0] != 1 || got[1] != 1 {
			t.Errorf("refused as full and as late: %d; want 1 and 1", got)
		}
	})
}

func TestWhatLastsTakesNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuarded(t, Limits{Calls: 1})
		g.answer = func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				return
			}
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		_, stream, err := g.Open(ctx, newRequest(t, ctx, "http://ic1/stream"), "get", 100, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Close()
		go func() { _, _ = g.DoLong(newRequest(t, ctx, "http://ic1/held"), "get", 100, time.Hour) }()
		res, err := g.Through("get", time.Hour).RoundTrip(newRequest(t, ctx, "http://ic1/download"))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		synctest.Wait()
		if err := g.ask(t.Context(), "ic1"); err != nil {
			t.Errorf("a call beside a stream, a held call and a download: %v", err)
		}
		cancel()
		synctest.Wait()
	})
}

var ofBreaker = Limits{BreakerCalls: 10, BreakerWithin: 10 * time.Second, BreakerPause: 5 * time.Second}

// failing makes so many calls of ic1.
func (g *guarded) failing(n int) {
	for range n {
		_ = g.ask(g.t.Context(), "ic1")
	}
}

// state holds the breaker of a host, as its metric shows it, to want.
func (g *guarded) state(when, want string) {
	g.t.Helper()
	got := ""
	for _, state := range circuitStates {
		if testutil.ToFloat64(g.metrics.breakers.WithLabelValues("pc", other, state)) == 1 {
			got += state
		}
	}
	if got != want {
		g.t.Errorf("%s: the breaker is %q; want %q", when, got, want)
	}
}

func TestWhatCountsForTheBreaker(t *testing.T) {
	for name, row := range map[string]struct {
		answer http.HandlerFunc
		opens  bool
	}{
		"a broken connection": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, true},
		"no answer in time":   {rig.Hang, true},
		"HTTP 500":            {rig.Says("text/plain", 500, ""), true},
		"HTTP 500, answered":  {rig.Says("text/plain", 500, "answered"), false},
		"HTTP 503":            {rig.Says("text/plain", 503, ""), true},
		"HTTP 503, answered":  {rig.Says("text/plain", 503, "answered"), true},
		"HTTP 400":            {rig.Says("text/plain", 400, ""), false},
		"HTTP 401":            {rig.Says("text/plain", 401, ""), false},
		"HTTP 302":            {rig.Says("text/plain", 302, ""), false},
		"HTTP 503, elsewhere": {rig.Says("text/plain", 503, "elsewhere"), false},
		"too long an answer":  {rig.Says("text/plain", 200, strings.Repeat("x", 101)), false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				limits := ofBreaker
				limits.BreakerWithin = time.Hour
				g := newGuarded(t, limits)
				g.answer = row.answer
				g.Elsewhere = func(_ string, r Reply) bool { return string(r.Body) == "elsewhere" }
				g.Answers = func(r Reply) bool { return string(r.Body) == "answered" }
				g.failing(9)
				g.state("after nine calls", "closed")
				g.failing(1)
				if !row.opens {
					g.state("after ten calls", "closed")
					return
				}
				g.state("after ten calls", "open")
				wantRefusedHere(t, "a call of a host that failed", g.ask(t.Context(), "ic1"))
				if err := g.ask(t.Context(), "ic2"); errors.Is(err, errBreakerOpen) {
					t.Errorf("a call of the other host: %v", err)
				}
				if got := g.asked.Load(); got != 11 {
					t.Errorf("%d calls were sent; want 10, and one to the other host", got)
				}
			})
		})
	}
}

func TestCallersWhoLeaveSayNothingOfAHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuarded(t, ofBreaker)
		g.answer = rig.Hang
		for range 20 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			_ = g.ask(ctx, "ic1")
			cancel()
		}
		g.state("after 20 callers who left", "closed")
	})
}

func TestAHostIsTriedByOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuarded(t, ofBreaker)
		g.answer = rig.Says("text/plain", 500, "")
		g.failing(10)
		time.Sleep(6 * time.Second)
		g.failing(1)
		g.state("after a trial that failed", "open")
		time.Sleep(6 * time.Second)
		g.answer = func(http.ResponseWriter, *http.Request) { time.Sleep(trialWait * 3 / 2) }
		before := g.asked.Load()
		left, leave := context.WithTimeout(t.Context(), time.Millisecond)
		defer leave()
		_ = g.ask(left, "ic1")
		g.state("after a caller who left the trial", "half_open")
		trial := make(chan error, 1)
		go func() { trial <- g.ask(t.Context(), "ic1") }()
		synctest.Wait()
		var others sync.WaitGroup
		for range 5 {
			others.Go(func() {
				wantRefusedHere(t, "a call while the host was tried for long", g.ask(t.Context(), "ic1"))
			})
		}
		others.Wait()
		if err := <-trial; err != nil {
			t.Errorf("the next trial: %v", err)
		}
		if got := g.asked.Load() - before; got != 2 {
			t.Errorf("%d calls while the host was tried; want the one of the caller who left and one trial", got)
		}
		g.state("after a trial that succeeded", "closed")
		if err := g.ask(t.Context(), "ic1"); err != nil {
			t.Errorf("after it: %v", err)
		}
	})
}

func TestCallsSideBySideTryAHostTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuarded(t, ofBreaker)
		g.answer = rig.Says("text/plain", 500, "")
		g.failing(10)
		time.Sleep(6 * time.Second)
		g.answer = func(http.ResponseWriter, *http.Request) { time.Sleep(trialWait / 2) }
		var calls sync.WaitGroup
		for range 4 {
			calls.Go(func() {
				if err := g.ask(t.Context(), "ic1"); err != nil {
					t.Errorf("one of four calls of a host that is back: %v", err)
				}
			})
		}
		calls.Wait()
		g.state("after them", "closed")
		g.answer = rig.Says("text/plain", 500, "")
		g.failing(10)
		time.Sleep(6 * time.Second)
		g.answer = func(w http.ResponseWriter, _ *http.Request) { time.Sleep(trialWait / 2); w.WriteHeader(500) }
		before := g.asked.Load()
		for range 4 {
			calls.Go(func() { _ = g.ask(t.Context(), "ic1") })
		}
		calls.Wait()
		if got := g.asked.Load() - before; got != 1 {
			t.Errorf("%d of four calls were sent to a host that is not back; want the trial", got)
		}
		g.state("after a trial that failed", "open")
	})
}

// TestWhoWaitsForATrialTakesNoPlace has calls of one host wait while another of the site is well.
func TestWhoWaitsForATrialTakesNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := ofBreaker
		limits.Calls, limits.CallWait = 4, trialWait/2
		g := newGuarded(t, limits)
		g.answer = rig.Says("text/plain", 500, "")
		g.failing(10)
		time.Sleep(6 * time.Second)
		g.answer = func(_ http.ResponseWriter, r *http.Request) {
			if r.Host == "ic1" {
				time.Sleep(2 * trialWait)
			}
		}
		var calls sync.WaitGroup
		for range 4 {
			calls.Go(func() { _ = g.ask(t.Context(), "ic1") })
		}
		synctest.Wait()
		if err := g.ask(t.Context(), "ic2"); err != nil {
			t.Errorf("a call of the host that is well: %v", err)
		}
		calls.Wait()
		time.Sleep(time.Minute)
	})
}

// TestWhatCountsForTheBreakerOfWhatIsPassed has ten answers come that callers asked for as they liked.
func TestWhatCountsForTheBreakerOfWhatIsPassed(t *testing.T) {
	for name, row := range map[string]struct {
		answer http.HandlerFunc
		opens  bool
	}{
		"a broken connection":    {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, true},
		"HTTP 500":               {rig.Says("text/plain", 500, ""), false},
		"HTTP 502 as JSON":       {rig.Says("application/json", 502, "{}"), false},
		"HTTP 503":               {rig.Says("text/html", 503, "<html>"), true},
		"HTTP 503 of nothing":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, true},
		"HTTP 503 of HTCC":       {rig.Says("application/json;charset=UTF-8", 503, `{"statusCode":12}`), false},
		"HTTP 503 of ICWS":       {rig.Says("application/vnd.inin.icws+JSON; charset=utf-8", 503, `{}`), false},
		"HTTP 504 before a site": {rig.Says("text/html", 504, ""), true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGuarded(t, ofBreaker)
				g.answer = row.answer
				for range 10 {
					res, err := g.Through("get", time.Hour).RoundTrip(newRequest(t, t.Context(), "http://ic1/"))
					if err == nil {
						_ = res.Body.Close()
					}
				}
				g.state("after ten", map[bool]string{true: "open", false: "closed"}[row.opens])
			})
		})
	}
}

func TestWhatLastsAsksTheBreaker(t *testing.T) {
	for name, call := range map[string]func(g *guarded) error{
		"a stream": func(g *guarded) error {
			_, _, err := g.Open(g.t.Context(), newRequest(g.t, g.t.Context(), "http://ic1/"), "get", 100, time.Hour)
			return err
		},
		"a held call": func(g *guarded) error {
			_, err := g.DoLong(newRequest(g.t, g.t.Context(), "http://ic1/"), "get", 100, time.Hour)
			return err
		},
		"a request that is passed through": func(g *guarded) error {
			res, err := g.Through("get", time.Hour).RoundTrip(newRequest(g.t, g.t.Context(), "http://ic1/"))
			if err == nil {
				_, _ = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGuarded(t, ofBreaker)
				g.answer = rig.Says("text/plain", 500, "")
				if name == "a stream" { // whose refusal says nothing of calls
					for range 20 {
						_ = call(g)
					}
					g.state("after 20 streams that were not opened", "closed")
				}
				g.answer = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
				for range 10 {
					_ = call(g)
				}
				g.state("after ten of them", "open")
				wantRefusedHere(t, name, call(g))
			})
		})
	}
}

func TestASiteNamesNoEndOfBreakers(t *testing.T) {
	g := newGuarded(t, ofBreaker)
	for n := range 1000 {
		u := newRequest(t, t.Context(), "http://ic"+strings.Repeat("x", n)+"/").URL
		g.Guard.breakers.of(u)
	}
	if got := len(g.Guard.breakers.all); got > maxBreakers+1 {
		t.Errorf("%d breakers; want at most %d and one for the rest", got, maxBreakers)
	}
}

func TestRetriesStayWithinTheirBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuarded(t, Limits{Retries: 0.1})
		g.answer = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
		for range 1000 {
			_, err := g.get(t.Context())
			if !errors.Is(err, fault.Unreachable) {
				t.Fatalf("a call that nobody answered: %v; want %v", err, fault.Unreachable)
			}
		}
		if got := g.asked.Load() - 1000; got < 90 || got > 100 {
			t.Errorf("%d repetitions of 1000 calls; want at most 100, and not many fewer", got)
		}
		if got := int(testutil.ToFloat64(g.metrics.requests.WithLabelValues("pc", "get", "retry", "none"))); got != int(g.asked.Load())-1000 {
			t.Errorf("%d attempts are counted as repetitions; want %d", got, g.asked.Load()-1000)
		}
	})
}

func TestWhatIsRepeated(t *testing.T) {
	abort := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	half := func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	for name, row := range map[string]struct {
		answer http.HandlerFunc
		again  bool
	}{
		"a broken connection": {abort, true},
		"half an answer":      {half, true},
		"HTTP 502":            {rig.Says("text/plain", 502, ""), true},
		"HTTP 504":            {rig.Says("text/plain", 504, ""), true},
		"HTTP 503":            {rig.Says("text/plain", 503, ""), false},
		"HTTP 500":            {rig.Says("text/plain", 500, ""), false},
		"HTTP 400":            {rig.Says("text/plain", 400, ""), false},
		"HTTP 401":            {rig.Says("text/plain", 401, ""), false},
		"HTTP 429":            {rig.Says("text/plain", 429, ""), false},
		"no answer in time":   {rig.Hang, false},
		"too long an answer":  {rig.Says("text/plain", 200, strings.Repeat("x", 101)), false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGuarded(t, Limits{Retries: 0.1})
				for range 11 {
					_, _ = g.get(t.Context())
				}
				once := g.asked.Load()
				var bad atomic.Bool
				bad.Store(true)
				g.answer = func(w http.ResponseWriter, r *http.Request) {
					if bad.Swap(false) {
						row.answer(w, r)
						return
					}
					_, _ = io.WriteString(w, "ok")
				}
				reply, err := g.get(t.Context())
				asked := g.asked.Load() - once
				if row.again && (asked != 2 || err != nil || string(reply.Body) != "ok") {
					t.Errorf("asked %d times: %q, %v; want a repetition that succeeds", asked, reply.Body, err)
				}
				if !row.again && asked != 1 {
					t.Errorf("asked %d times; want once", asked)
				}
				bad.Store(true)
				before := g.asked.Load()
				_ = g.ask(t.Context(), "ic1")
				if g.asked.Load() != before+1 {
					t.Error("a call that is not marked as repeatable was repeated")
				}
			})
		})
	}
}
