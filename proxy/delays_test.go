package proxy

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/upstream"
	"portico/proxy/upstream/memhttp"
)

// guessers is a world where wrong log-ins wait a second, behind a proxy.
type guessers struct {
	*world
	delays *Delays
	tries  int
}

func newGuessers(t *testing.T, options ...func(*knobs)) *guessers {
	g := &guessers{delays: NewDelays()}
	g.delays.Set(time.Second, 15*time.Minute)
	g.world, _ = newTroubled(t, &sides[0], func(k *knobs) {
		k.door.Delays, k.door.TrustedProxies = g.delays, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		k.icws.Limits = upstream.Limits{}
		for _, option := range options {
			option(k)
		}
	})
	handler := g.world.handler
	g.client = &http.Client{Transport: memhttp.Network{"portico.example": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = "10.1.2.3:4567"
		handler.ServeHTTP(w, r)
	})}}
	return g
}

// timed returns an answer and how long it took.
func timed(ask func() answer) (answer, time.Duration) {
	began := time.Now()
	got := ask()
	return got, time.Since(began)
}

// guess tries a new password from an address, and wants to be refused after a while.
func (g *guessers) guess(address, name string, wait time.Duration) answer {
	g.t.Helper()
	g.tries++
	got, took := timed(func() answer {
		return g.do("GET", "/api/v2/me", "", "Authorization", basicAuth(name, fmt.Sprint("guess ", g.tries)), "X-Forwarded-For", address)
	})
	if got.status != http.StatusForbidden && got.status != http.StatusTooManyRequests || took != wait {
		g.t.Errorf("wrong log-in %d as %s = %d after %v; want to be refused after %v", g.tries, name, got.status, took, wait)
	}
	return got
}

// annoy has an address guess until it waits.
func (g *guessers) annoy(address string) {
	g.t.Helper()
	for i := range refusedAtOnce {
		g.guess(address, fmt.Sprintf("agent%04d", i+1), 0)
	}
}

const bad, good = "198.51.100.7", "203.0.113.1"

func TestWhoGuessesOftenWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuessers(t)
		g.annoy(bad)
		for range 3 {
			g.guess(bad, "anna", time.Second)
		}
		if got := g.guess(bad, "anna", time.Second); got.status != http.StatusTooManyRequests {
			t.Errorf("past the limit: %d; want 429", got.status)
		}
		g.guess(good, "anna", 0)
		if log := g.log.String(); strings.Contains(log, `"duration_s":1`) || strings.Count(log, `"code":429`) != 1 {
			t.Errorf("the log counts the wait as ours:\n%s", log)
		}
		g.delays.Set(0, time.Minute)
		g.guess(bad, "anna", 0)
		g.delays.Set(time.Second, 15*time.Minute)
		time.Sleep(15 * time.Minute)
		g.guess(bad, "anna", 0)
	})
}

// Behind the address of one who guesses, whoever is let in is answered at once, and so is who only has a
// cookie that has ended.
func TestNeighboursOfGuessersDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuessers(t, func(k *knobs) { k.door.Places.SetLimit(2) })
		g.annoy(bad)
		var guessing sync.WaitGroup
		for i := range 10 {
			guessing.Go(func() {
				_ = g.do("GET", "/api/v2/me", "", "Authorization", basicAuth(fmt.Sprintf("agent%04d", 10+i), "wrong"), "X-Forwarded-For", bad)
			})
			synctest.Wait()
		}
		if n := g.delays.waiting.Load(); n != 10 {
			t.Fatalf("%d wait; want 10", n)
		}
		for _, one := range []struct {
			what    string
			headers []string
			status  int
		}{
			{"a log-in", []string{"Authorization", basicAuth("anna", "anna")}, http.StatusOK},
			{"a name and password that are known", []string{"Authorization", basicAuth("anna", "anna")}, http.StatusOK},
			{"a cookie that has ended", []string{"Cookie", "JSESSIONID=gone"}, http.StatusForbidden},
			{"nothing", nil, http.StatusForbidden},
		} {
			got, took := timed(func() answer { return g.do("GET", "/api/v2/me", "", append(one.headers, "X-Forwarded-For", bad)...) })
			if got.status != one.status || took != 0 {
				t.Errorf("%s = %d %s after %v; want %d at once", one.what, got.status, got.body, took, one.status)
			}
		}
		guessing.Wait()
	})
}

func TestAWaitEndsWhenTheCallerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuessers(t)
		g.annoy(bad)
		ctx, leave := context.WithCancel(t.Context())
		request, err := http.NewRequestWithContext(ctx, "GET", g.url+"/api/v2/me", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.SetBasicAuth("anna", "wrong")
		request.Header.Set("X-Forwarded-For", bad)
		began := time.Now()
		go func() { _, _ = g.client.Do(request) }()
		synctest.Wait()
		waiting := g.delays.waiting.Load()
		leave()
		synctest.Wait()
		if left := g.delays.waiting.Load(); waiting != 1 || left != 0 || time.Since(began) != 0 {
			t.Errorf("%d waited, and %d when the caller had left, %v later; want 1 and none at once", waiting, left, time.Since(began))
		}
		if log := g.log.String(); !strings.Contains(log, `"code":499`) {
			t.Errorf("the log does not say that the caller left:\n%s", log)
		}
	})
}

func TestAWaitEndsWhenPorticoStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var draining atomic.Bool
		g := newGuessers(t, func(k *knobs) { k.door.Draining = draining.Load })
		g.annoy(bad)
		go func() {
			time.Sleep(300 * time.Millisecond)
			draining.Store(true)
			g.delays.End()
			g.delays.End() // twice does no harm
		}()
		got := g.guess(bad, "anna", 300*time.Millisecond)
		if got.header.Get("Connection") != "close" {
			t.Errorf("headers %v; want the connection to be closed", got.header)
		}
		g.guess(bad, "anna", 0)
	})
}

func TestNoMoreWaitThanThereIsRoomFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := NewDelays()
		d.Set(time.Second, time.Hour)
		from := netip.MustParsePrefix("198.51.100.7/32")
		for range refusedAtOnce {
			d.refuse(t.Context(), from)
		}
		waited := make(chan time.Duration, mostDelayed+100)
		for range cap(waited) {
			go func() { waited <- d.refuse(t.Context(), from) }()
		}
		synctest.Wait()
		if n := len(waited); n != 100 {
			t.Errorf("%d are answered at once; want 100", n)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n := len(waited); n != cap(waited) {
			t.Errorf("%d are answered after a second; want all", n)
		}
		if got := d.refuse(t.Context(), from); got != time.Second {
			t.Errorf("the next waits %v; want a second", got)
		}
	})
}

// A log-in of an ICWS application waits when we refuse it. What the site refuses, the site answers.
func TestNativeGuessersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuessers(t, func(k *knobs) { k.site.Native = true })
		try := func() (answer, time.Duration) {
			g.tries++
			return timed(func() answer {
				return g.do("POST", "/icws/connection", fmt.Sprintf(`{"__type":"urn:inin.com:connection:icAuthConnectionRequestSettings",`+
					`"applicationName":"x","userID":"anna","password":"guess %d"}`, g.tries), "X-Forwarded-For", bad, "Accept-Language", "en-us")
			})
		}
		var statuses []int
		for range 10 {
			got, took := try()
			statuses = append(statuses, got.status)
			if want := time.Duration(0); took != want && len(statuses) <= 3+refusedAtOnce {
				t.Errorf("log-in %d took %v; want %v", g.tries, took, want)
			}
		}
		if want := "[400 400 400 429 429 429 429 429 429 429]"; fmt.Sprint(statuses) != want {
			t.Errorf("ten wrong log-ins = %v; want %s", statuses, want)
		}
		if _, took := try(); took != time.Second {
			t.Errorf("one more took %v; want a second", took)
		}
	})
}
