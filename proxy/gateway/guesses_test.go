package gateway

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"

	"portico/proxy/fault"
	"portico/proxy/icws/icwssim"
	"portico/proxy/upstream"
	"portico/proxy/upstream/rig"
)

// guesser tries to log in from one address, with a new wrong password each time.
type guesser struct {
	*world
	from  string
	tries int
}

func (g *guesser) with(name, password string) error {
	_, err := g.Login(g.t.Context(), Caller{Basic: true, Login: name, Password: password, Address: netip.MustParseAddr(g.from)})
	return err
}

// guess tries n wrong passwords and returns how many the site was asked about.
func (g *guesser) guess(name string, n int) int {
	g.t.Helper()
	before := g.logins()
	for range n {
		g.tries++
		err := g.with(name, fmt.Sprint("wrong ", g.tries))
		if !errors.Is(err, fault.Unauthenticated) && !errors.Is(err, fault.Throttled) {
			g.t.Fatalf("a wrong password: %v", err)
		}
	}
	return g.logins() - before
}

// limited fails the test unless the log-in is refused for a while.
func (g *guesser) limited(what, name, password string, wait time.Duration) {
	g.t.Helper()
	before := g.logins()
	err := g.with(name, password)
	if !errors.Is(err, fault.Throttled) || fault.RetryAfter(err) != wait || g.logins() != before {
		g.t.Errorf("%s: %v, again in %v, and %d calls; want %v, %v and none", what, err, fault.RetryAfter(err), g.logins()-before, fault.Throttled, wait)
	}
}

// limitedLogins returns how many log-ins are counted as limited.
func (w *world) limitedLogins() (n float64) {
	w.t.Helper()
	rig.Series(w.t, w.reg, func(family string) bool { return family == "portico_logins_total" }, func(_ string, series *dto.Metric) {
		for _, label := range series.GetLabel() {
			if label.GetValue() == "limited" {
				n += series.GetCounter().GetValue()
			}
		}
	})
	return n
}

// sends sends a native log-in from an address and returns the status of its answer.
func (w *world) sends(from string, req *http.Request) (int, error) {
	passage := w.Native(nil)
	passage.From = netip.MustParseAddr(from)
	res, err := passage.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	_ = res.Body.Close()
	return res.StatusCode, nil
}

func (g *guesser) letIn(what, name string) {
	g.t.Helper()
	err := g.with(name, name)
	if err != nil {
		g.t.Errorf("%s: %v", what, err)
	}
}

func TestOneStrangerKeepsNobodyOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		stranger, home := &guesser{world: w, from: "198.51.100.7"}, &guesser{world: w, from: "203.0.113.1"}
		if n := stranger.guess("anna", 20); n != 3 {
			t.Errorf("20 guesses from one address are %d at the site; want one less than a name has", n)
		}
		if n := w.limitedLogins(); n != 17 {
			t.Errorf("%v log-ins are counted as limited; want 17", n)
		}
		stranger.limited("the right password, found too late", "anna", "anna", 15*time.Minute)
		home.letIn("the agent from an address never seen", "anna")
		time.Sleep(15 * time.Minute)
		if n := stranger.guess("anna", 20); n != 3 {
			t.Errorf("%d guesses in the next window; want 3", n)
		}
	})
}

func TestManyStrangersReachANameNoMoreThanItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		home := &guesser{world: w, from: "203.0.113.1"}
		home.letIn("before", "anna")
		anna, err := w.Login(t.Context(), Caller{Basic: true, Login: "anna", Password: "anna", Address: netip.MustParseAddr("203.0.113.1")})
		if err != nil {
			t.Fatal(err)
		}
		asked := 0
		for i := range 10 {
			asked += (&guesser{world: w, from: fmt.Sprintf("198.51.100.%d", i), tries: i * 100}).guess("ANNA", 10)
		}
		if asked != 4 {
			t.Errorf("%d guesses reached the site; want 4", asked)
		}
		(&guesser{world: w, from: "192.0.2.1"}).letIn("the password of a live session from an address never seen", "anna")
		_, err = w.Login(t.Context(), Caller{SessionID: anna.SessionID()})
		if err != nil {
			t.Errorf("the session's cookie: %v", err)
		}
		err = w.EndContactCenterSession(t.Context(), anna)
		if err != nil {
			t.Fatal(err)
		}
		home.letIn("after log-out, from where the agent logged in", "anna")
		anna, _ = w.Login(t.Context(), Caller{Basic: true, Login: "anna", Password: "anna"})
		_ = w.EndContactCenterSession(t.Context(), anna)
		(&guesser{world: w, from: "192.0.2.1"}).letIn("from where the session's password was used", "anna")
		if n := home.guess("anna", 10); n != 3 {
			t.Errorf("%d guesses from the agent's own address reached the site; want 3, as many as a stranger's, counted by themselves", n)
		}
	})
}

func TestAnAddressIsLimitedButNotItsKnownAgents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{}, func(s *Settings, _ *Site) { s.Guesses.PerAddress = 5 })
		office := &guesser{world: w, from: "2001:db8:1:2::7"}
		office.letIn("before", "agent0001")
		asked := 0
		for i := range 10 {
			asked += office.guess(fmt.Sprintf("agent10%02d", i), 1)
		}
		if asked != 5 {
			t.Errorf("%d guesses reached the site; want 5", asked)
		}
		office.from = "2001:db8:1:2:ffff::1"
		office.limited("an agent never seen here, from the same network", "agent0002", "agent0002", 15*time.Minute)
		agent, _ := w.Login(t.Context(), Caller{Basic: true, Login: "agent0001", Password: "agent0001"})
		_ = w.EndContactCenterSession(t.Context(), agent)
		office.letIn("an agent known here", "agent0001")
		(&guesser{world: w, from: "2001:db8:1:3::7"}).letIn("from another network", "agent0002")
	})
}

func TestOnlyRefusedPasswordsCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{}, func(s *Settings, _ *Site) { s.Guesses.PerAddress = 4 })
		office := &guesser{world: w, from: "203.0.113.1"}
		for i := range 20 {
			office.letIn("the right password", fmt.Sprintf("agent%04d", i+1))
		}
		err := w.sim.Fault(icwssim.Fault{Route: routeLogin, Status: http.StatusInternalServerError, Times: 10})
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			_ = office.with("anna", "anna") // which the site cannot say anything about
		}
		office.letIn("after an outage", "anna")
		for range 10 {
			_ = office.with("bjorn", "always the same") // asked about once
		}
		if n := office.guess("cleo", 10); n != 3 {
			t.Errorf("%d guesses reached the site; want 3", n)
		}
	})
}

// A name that a site may read as another's is not asked about, and counts for the address.
func TestNamesOfNoAccountCountForTheAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{}, func(s *Settings, _ *Site) { s.Guesses.PerAddress = 4 })
		stranger := &guesser{world: w, from: "198.51.100.7"}
		for _, name := range []string{"anna\x00", "\u200banna", "anna\ufeff", "an\u00adna"} {
			if n := stranger.guess(name, 1); n != 0 {
				t.Errorf("the site is asked about %q", name)
			}
		}
		stranger.limited("another name of no account", "anna\u200d", "x", 15*time.Minute)
		stranger.limited("an agent's name", "anna", "x", 15*time.Minute)
		(&guesser{world: w, from: "203.0.113.1"}).letIn("the agent at another address", "anna")
	})
}

// A native log-in counts as one of /me, however many come at once.
func TestNativeLoginsCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{}, func(_ *Settings, s *Site) { s.Native = true })
		from := "198.51.100.7"
		try := func(password string) (int, error) {
			return w.sends(from, w.nativeLogin("Anna", password))
		}
		ended := make(chan error, 20)
		for i := range cap(ended) {
			go func() {
				_, err := try(fmt.Sprint("wrong ", i))
				ended <- err
			}()
		}
		limited := 0
		for range cap(ended) {
			if errors.Is(<-ended, fault.Throttled) {
				limited++
			}
		}
		if limited != 17 || w.logins() != 3 {
			t.Errorf("of 20 guesses at once %d were limited and %d reached the site; want 17 and 3", limited, w.logins())
		}
		(&guesser{world: w, from: from}).limited("the same name and address under /me", "anna", "anna", 15*time.Minute)
		from = "203.0.113.1"
		for range 5 {
			status, err := try("anna")
			if err != nil || status != http.StatusCreated {
				t.Errorf("the agent at another address: %d, %v", status, err)
			}
		}
	})
}

// TestNativeLoginsAtOnce has a user log in many times at once where they have logged in before: right passwords wait
// for each other no longer than the limit takes, and no burst of wrong ones exceeds it.
func TestNativeLoginsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{}, func(_ *Settings, s *Site) { s.Native = true })
		slow := func(times int, delay time.Duration) {
			err := w.sim.Fault(icwssim.Fault{Route: routeLogin, Delay: delay, Times: times})
			if err != nil {
				t.Fatal(err)
			}
		}
		atOnce := func(passwords ...string) (time.Duration, int) {
			began, limited := time.Now(), make(chan bool, len(passwords))
			for _, password := range passwords {
				go func() {
					_, err := w.sends("198.51.100.7", w.nativeLogin("anna", password))
					if err != nil && !errors.Is(err, fault.Throttled) {
						t.Error(err)
					}
					limited <- err != nil
				}()
			}
			n := 0
			for range passwords {
				if <-limited {
					n++
				}
			}
			return time.Since(began), n
		}
		right := slices.Repeat([]string{"anna"}, 40)
		slow(40, 400*time.Millisecond)
		took, limited := atOnce(right...)
		if took > 6*time.Second || limited > 0 {
			t.Errorf("40 right passwords took %v, and %d were limited; want 3 at a time after the first", took, limited)
		}

		slow(1, 4*time.Second)
		var unanswered sync.WaitGroup
		defer unanswered.Wait()
		unanswered.Go(func() { atOnce("anna") })
		synctest.Wait()
		took, limited = atOnce("anna", "anna")
		if took > 0 || limited > 0 {
			t.Errorf("beside one that the site does not answer two more took %v, and %d were limited; want none to wait", took, limited)
		}

		before := w.logins()
		slow(20, 400*time.Millisecond)
		var wrong []string
		for i := range 20 {
			wrong = append(wrong, fmt.Sprint("wrong ", i))
		}
		_, limited = atOnce(wrong...)
		if n := w.logins() - before; n != 3 || limited != 17 {
			t.Errorf("of 20 wrong passwords %d reached the site, and %d were limited; want 3 and 17", n, limited)
		}
	})
}

// TestWrongPasswordsInLine has a stranger send hundreds at once, all of which wait for their turn.
func TestWrongPasswordsInLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := &icwssim.Server{}
		_, hosts := twoHosts(sim, upstream.Limits{Logins: 10, LoginQueue: 1000, LoginWait: time.Hour})
		w := newWorld(t, sim, hosts)
		stranger, agent := &guesser{world: w, from: "203.0.113.7"}, &guesser{world: w, from: "198.51.100.9"}
		var strangers sync.WaitGroup
		for n := range 500 {
			strangers.Go(func() { _ = stranger.with(fmt.Sprintf("agent%04d", n+1), "wrong") })
		}
		synctest.Wait()
		began := time.Now()
		err := agent.with("anna", "anna")
		if waited := time.Since(began); err != nil || waited > 6*time.Second {
			t.Errorf("an agent elsewhere waited %v: %v; want no longer than for the 50 that the stranger may try", waited, err)
		}
		strangers.Wait()
		if got := w.logins() - 1; got < 50 || got > 55 {
			t.Errorf("the site was asked about %d wrong passwords from one address; want 50", got)
		}
	})
}

// TestMalformedLogInsInLine has a stranger go on sending hundreds at once that the site can make nothing of.
func TestMalformedLogInsInLine(t *testing.T) {
	for what, body := range map[string]string{"nobody": `{}`, "the agent": `{"__type":"urn:inin.com:connection:icAuthConnectionRequestSettings","userID":"anna"}`} {
		synctest.Test(t, func(t *testing.T) {
			sim := &icwssim.Server{}
			_, hosts := twoHosts(sim, upstream.Limits{Logins: 10, LoginQueue: 1000, LoginWait: time.Hour})
			w := newWorld(t, sim, hosts, func(_ *Settings, s *Site) { s.Native = true })
			over := make(chan struct{})
			var strangers sync.WaitGroup
			for range 500 {
				strangers.Go(func() {
					for {
						req := w.nativeLogin("", "")
						req.Body = io.NopCloser(strings.NewReader(body))
						status, err := w.sends("203.0.113.7", req)
						if status != http.StatusBadRequest && !errors.Is(err, fault.Throttled) {
							t.Errorf("a log-in that names %s: %d, %v", what, status, err)
						}
						select {
						case <-over:
							return
						case <-time.After(time.Second):
						}
					}
				})
			}
			synctest.Wait()
			soon := func(who string, logIn func() error) {
				began := time.Now()
				err := logIn()
				if waited := time.Since(began); err != nil || waited > 6*time.Second {
					t.Errorf("%s waited %v while log-ins name %s: %v; want no longer than for the 50 that the stranger may try", who, waited, what, err)
				}
			}
			var agents sync.WaitGroup
			agents.Go(func() {
				soon("an agent of /me", func() error { return (&guesser{world: w, from: "198.51.100.9"}).with("anna", "anna") })
			})
			agents.Go(func() {
				soon("a native application", func() error {
					status, err := w.sends("198.51.100.9", w.nativeLogin("anna", "anna"))
					if err == nil && status != http.StatusCreated {
						err = fmt.Errorf("HTTP %d", status)
					}
					return err
				})
			})
			agents.Wait()
			close(over)
			strangers.Wait()
			if got := w.logins() - 2; got < 50 || got > 55 {
				t.Errorf("the site was asked about %d malformed log-ins from one address; want 50", got)
			}
		})
	}
}

// Nobody is kept out by nonsense that names them: it counts for its address alone.
func TestMalformedLogInsCountForNoName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{}, func(s *Settings, site *Site) { s.Guesses.PerAddress, site.Native = 10, true })
		stranger := &guesser{world: w, from: "198.51.100.7"}
		nonsense := func() error {
			req := w.nativeLogin("anna", "anna")
			req.Header.Del("Accept-Language")
			_, err := w.sends(stranger.from, req)
			return err
		}
		for range 9 {
			err := nonsense()
			if err != nil {
				t.Fatal(err)
			}
		}
		if n := stranger.guess("anna", 1); n != 1 {
			t.Error("the name is limited; want 9 that are malformed to count for the address alone")
		}
		stranger.limited("after 10 from the address", "bjorn", "bjorn", 15*time.Minute)
		if err := nonsense(); !errors.Is(err, fault.Throttled) {
			t.Errorf("another that is malformed: %v; want %v", err, fault.Throttled)
		}
		for _, fails := range []int{http.StatusForbidden, http.StatusNotFound, http.StatusInternalServerError} {
			err := w.sim.Fault(icwssim.Fault{Route: routeLogin, Status: fails, Times: 10})
			if err != nil {
				t.Fatal(err)
			}
			stranger.from = fmt.Sprint("203.0.113.", fails%255)
			for range 10 {
				_ = nonsense()
			}
			stranger.letIn(fmt.Sprint("from where others were answered ", fails), "cleo")
		}
	})
}

// An answer is what a guess tells.
type answer struct {
	kind  fault.Kind
	again time.Duration // when to come again
	took  time.Duration
}

// answers guesses at a name, each password twice, from one address and then from others.
func answers(w *world, name, network string) []answer {
	var got []answer
	for i := range 16 {
		g := &guesser{world: w, from: network + fmt.Sprint(max(1, i-8))}
		began := time.Now()
		err := g.with(name, fmt.Sprint("guess ", i/2))
		got = append(got, answer{fault.KindOf(err), fault.RetryAfter(err), time.Since(began)})
	}
	return got
}

func TestNobodyCanTellWhichNamesHaveARoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		err := w.sim.Fault(icwssim.Fault{Route: routeLogin, Delay: 200 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		(&guesser{world: w, from: "192.0.2.1"}).guess("cleo", 1)
		routed, unrouted := answers(w, "anna", "198.51.100."), answers(w, "nobody", "203.0.113.")
		for i, want := range routed {
			if got := unrouted[i]; got.kind != want.kind || got.took != want.took || (got.again-want.again).Abs() > time.Second {
				t.Errorf("guess %d at a name without a route: %+v; at one with a route: %+v", i+1, got, want)
			}
		}
		if last := routed[len(routed)-1]; last.kind != fault.Throttled {
			t.Errorf("the last guess ends with %v; want %v", last.kind, fault.Throttled)
		}
	})
}

// A log-in under way is that of all who ask for the same, whatever was refused since it began.
func TestALoginUnderWayIsNotThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{}, func(s *Settings, _ *Site) { s.Guesses.PerAddress = 3 })
		err := w.sim.Fault(icwssim.Fault{Route: routeLogin, Delay: time.Second, Times: 1})
		if err != nil {
			t.Fatal(err)
		}
		office := &guesser{world: w, from: "203.0.113.1"}
		var first sync.WaitGroup
		first.Go(func() { office.letIn("the first", "anna") })
		synctest.Wait()
		for _, name := range []string{"agent0001", "agent0002", "agent0003"} {
			office.guess(name, 1)
		}
		office.limited("another from the address", "cleo", "cleo", 15*time.Minute)
		office.letIn("a second of the first's", "anna")
		first.Wait()
	})
}
