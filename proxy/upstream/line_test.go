package upstream

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"portico/proxy/fault"
)

// onLine makes a first call of a host, and returns the connection that it left, which is to serve the next.
func onLine(t *testing.T, c *Caller, url string) *line {
	t.Helper()
	_, err := c.Do(newPut(t, t.Context(), url, "x"), "get", 100)
	if err != nil {
		t.Fatal(err)
	}
	c.Calls.mu.Lock()
	defer c.Calls.mu.Unlock()
	for _, waiting := range c.Calls.idle {
		return waiting[0]
	}
	t.Fatal("no connection was kept")
	return nil
}

// TestEachCallHasItsTime has deadlines of earlier calls be on the connection: one that strikes while the call may go
// on, one that has struck before it, and one that is too late.
func TestEachCallHasItsTime(t *testing.T) {
	for name, start := range map[string]func(http.Handler) *httptest.Server{"http": httptest.NewServer, "https": httptest.NewTLSServer} {
		for _, tt := range []struct {
			name    string
			set     time.Duration // the deadline, from now
			timeout time.Duration
			answers bool // after the deadline
			want    error
		}{
			{"strikes", 20 * time.Millisecond, time.Minute, true, nil},
			{"has struck", -time.Second, time.Minute, true, nil},
			{"is too late", time.Hour, 20 * time.Millisecond, false, fault.Timeout},
		} {
			t.Run(name+", "+tt.name, func(t *testing.T) {
				struck := make(chan struct{})
				server := start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					body, _ := io.ReadAll(r.Body)
					if string(body) == "slow" {
						<-struck
					}
				}))
				defer server.Close()
				caller, _ := calling(t, server)
				l := onLine(t, caller, server.URL)
				l.set = time.Now().Add(tt.set)
				err := l.conn.SetDeadline(l.set)
				if err != nil {
					t.Fatal(err)
				}
				if tt.answers {
					time.AfterFunc(2*max(tt.set, 0), func() { close(struck) })
				} else {
					defer close(struck)
				}
				caller.Timeout = tt.timeout
				_, err = caller.Do(newPut(t, t.Context(), server.URL, "slow"), "get", 100)
				if !errors.Is(err, tt.want) {
					t.Errorf("Do = %v; want %v", err, tt.want)
				}
			})
		}
	}
}

// TestLeavingEndsCalls has the caller leave while a host keeps them waiting.
func TestLeavingEndsCalls(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if string(body) == "slow" {
			leave()
			<-r.Context().Done()
		}
	}))
	defer server.Close()
	caller, _ := calling(t, server)
	onLine(t, caller, server.URL)
	_, err := caller.Do(newPut(t, ctx, server.URL, "slow"), "get", 100)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Do = %v; want %v", err, context.Canceled)
	}
}

// A parrot is a connection whose other side says the same whenever it is sent anything.
type parrot struct {
	net.Conn // nil
	says     string
}

func (p *parrot) Write(b []byte) (int, error) { return len(b), nil }
func (p *parrot) Read(b []byte) (int, error)  { return copy(b, p.says), nil }
func (p *parrot) SetDeadline(time.Time) error { return nil }
func (p *parrot) Close() error                { return nil }

// TestCallsAllocateLittle is to be renewed when a call needs less; more would be garbage of each change of state.
func TestCallsAllocateLittle(t *testing.T) {
	if raced {
		t.Skip("the race detector allocates along; `make test` counts without it")
	}
	const most = 2 // the time limit, and what is kept of the answer
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return &parrot{says: siteAnswers[0]}, nil }}
	caller, _ := newCaller(t, transport)
	caller.Calls = &Calls{Transport: transport}
	req := newPut(t, context.Background(), "http://pc.example/", "") // a caller who leaves stops no change
	got := testing.AllocsPerRun(100, func() {
		_, err := caller.Do(req, "get", 100)
		if err != nil {
			t.Fatal(err)
		}
	})
	if got > most {
		t.Errorf("%v allocations; want at most %v", got, most)
	}
}
