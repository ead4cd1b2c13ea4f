package fleet

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// TestLiveStoreInTrouble has agents work while their store is away, slow, and loses what it had.
// Outcomes are those of proxy/store/README.md.
func TestLiveStoreInTrouble(t *testing.T) {
	programs(t)
	t.Parallel()
	cable := &cable{t: t}
	s := newStage(t, Settings{Sticky: true, Cable: cable.to})
	s.staff(100)
	t.Run("restart", func(t *testing.T) {
		s.trouble(t, 8000, func() { must(t, s.Store.Stop()) }, func() { must(t, s.Store.Start()) })
	})
	t.Run("2 s of latency", func(t *testing.T) {
		s.trouble(t, 8100, func() { cable.spoil(`{"name":"slow","type":"latency","attributes":{"latency":2000}}`) }, cable.mend)
	})
	t.Run("flush", func(t *testing.T) { testFlush(t, s) })
}

// A cable is the network between the replicas and their store, as a proxy of TCP that can be told to be
// a bad one.
type cable struct {
	t    *testing.T
	real *toxiproxy.Proxy
}

// to lays a good cable to the store, once, until the test ends, and returns the address of its near end.
func (c *cable) to(store string) (string, error) {
	if c.real != nil {
		return c.real.Listen, nil
	}
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	c.real = toxiproxy.NewProxy(server, "cable", "127.0.0.1:0", store)
	c.t.Cleanup(c.real.Stop)
	err := c.real.Start()
	return c.real.Listen, err
}

func (c *cable) spoil(toxic string) {
	c.t.Helper()
	_, err := c.real.Toxics.AddToxicJson(strings.NewReader(toxic))
	must(c.t, err)
}

func (c *cable) mend() {
	c.t.Helper()
	must(c.t, c.real.Toxics.RemoveToxic(c.t.Context(), "slow"))
}

// awayFor is how long the store is in trouble: readers' leases live for longer.
const awayFor = 5 * time.Second

// trouble has agents work while the store is away, or as good as that: those who are logged in go on,
// others, numbered from strangers on, are told to come again, and all heals.
func (s *stage) trouble(t *testing.T, strangers int, begin, end func()) {
	w := s.watch(t)
	began := time.Now()
	begin()
	within(t, 5*time.Second, "replicas say that they miss the store", func() bool { return s.ready(t, `"store":false`) })
	for i, r := range s.Replicas {
		asked := time.Now()
		got := r.me(t, Agent(strangers+i), "")
		if got.status != 503 || got.after == "" || time.Since(asked) > 2*time.Second {
			t.Errorf("a log-in without the store: %+v after %v; want 503 at once", got, time.Since(asked))
		}
	}
	time.Sleep(max(0, awayFor-time.Since(began)))
	end()
	within(t, 10*time.Second, "replicas have the store again", func() bool { return s.ready(t, `"store":true`) })
	for i, r := range s.Replicas {
		if got := r.me(t, Agent(strangers+i), ""); got.status != 200 {
			t.Errorf("a log-in with the store back: %+v", got)
		}
	}
	w.settle()
	w.succeeded()
	w.told()
}

// ready reports whether each replica is, and says so of its store.
func (s *stage) ready(t *testing.T, store string) bool {
	t.Helper()
	for _, r := range s.Replicas {
		answer, err := http.Get("http://" + r.Admin + "/readyz")
		must(t, err)
		said, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		must(t, err)
		if answer.StatusCode != http.StatusOK {
			t.Fatalf("not ready: %s", said)
		}
		if !strings.Contains(string(said), store) {
			return false
		}
	}
	return true
}

// me reads the agent at a replica, by name and password where there is no cookie.
func (r *Replica) me(t *testing.T, agent, cookie string) answer {
	t.Helper()
	return send(t, http.MethodGet, "http://"+r.Door+"/me", agent, cookie, "")
}

// testFlush has the store lose everything: sessions end at all replicas, and agents log in again, with the
// clients that they have.
func testFlush(t *testing.T, s *stage) {
	before := s.watch(t)
	flushed := time.Now()
	testLostSession(t, s)
	within(t, 30*time.Second, "all clients have shaken hands again, and nothing fails", func() bool {
		shaken, last := 0, flushed
		accounts := s.accounts()
		for _, account := range accounts {
			shaken += min(account.Handshakes, 1)
		}
		for _, e := range failures(accounts) {
			last = time.UnixMilli(e.At)
		}
		return shaken == len(accounts) && time.Since(last) > every*time.Millisecond+time.Second
	})
	t.Logf("all agents work again %v after the store lost everything", time.Since(flushed).Round(time.Millisecond))
	before.end()
	w := s.watch(t)
	time.Sleep(2 * perAgent)
	w.settle()
	w.succeeded()
	w.told()
}

// testLostSession has the store lose everything, and follows an agent who does not log in again.
func testLostSession(t *testing.T, s *stage) {
	agent := Agent(7000)
	old := s.Replicas[0].me(t, agent, "").cookie
	for _, r := range s.Replicas {
		if got := r.me(t, agent, old); got.status != 200 {
			t.Fatalf("with the cookie: %+v", got)
		}
	}
	_, err := s.Store.Command("FLUSHALL")
	must(t, err)
	within(t, 7*time.Second, "the session ends at all replicas", func() bool {
		ended := 0
		for _, r := range s.Replicas {
			got := r.me(t, agent, old)
			if got.status != 200 && got.status != 403 {
				t.Fatalf("with the cookie of a lost session: %+v; want 403", got)
			}
			if got.status == 403 {
				ended++
			}
		}
		return ended == len(s.Replicas)
	})
	cookie := s.Replicas[0].me(t, agent, "").cookie
	for _, r := range s.Replicas {
		got := r.me(t, agent, "")
		if got.status != 200 || got.cookie != cookie || cookie == old {
			t.Errorf("by name and password: %+v; want one new session", got)
		}
	}
}
