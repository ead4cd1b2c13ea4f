package htcc

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/upstream"
)

func TestLogInsBeginAtThePaceOfTheSite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var mu sync.Mutex
		var sent []time.Duration
		client, _ := newClient(t, at(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if _, _, basic := r.BasicAuth(); basic {
				mu.Lock()
				defer mu.Unlock()
				sent = append(sent, time.Since(began))
			}
			panic(http.ErrAbortHandler)
		})), func(s *Settings) {
			s.Limits = upstream.Limits{Logins: 10, LoginQueue: 10, LoginWait: 10 * time.Second}
		})
		var work sync.WaitGroup
		for range 5 {
			work.Go(func() { _, _, _ = client.Login(t.Context(), bjorn) })
		}
		work.Wait()
		for n, when := range sent {
			if want := time.Duration(n) * 100 * time.Millisecond; when != want {
				t.Errorf("log-in %d was sent after %v; want %v", n, when, want)
			}
		}
		if len(sent) != 5 {
			t.Errorf("%d log-ins were sent; want 5", len(sent))
		}
	})
}

// TestWhichCallsAreRepeated breaks the connection of one call.
func TestWhichCallsAreRepeated(t *testing.T) {
	for name, row := range map[string]struct {
		call  func(ctx context.Context, c *Client, s *Session) error
		again bool
	}{
		"a read": {func(ctx context.Context, c *Client, s *Session) error { _, err := c.Me(ctx, s); return err }, true},
		"the states": {func(ctx context.Context, c *Client, s *Session) error {
			_, err := c.AgentStates(ctx, s)
			return err
		}, true},
		"a log-in": {func(ctx context.Context, c *Client, _ *Session) error {
			_, _, err := c.Login(ctx, bjorn)
			return err
		}, false},
		"an operation": {func(ctx context.Context, c *Client, s *Session) error {
			_, err := c.Operation(ctx, s, PathMe, []byte(`{"operationName":"Ready"}`))
			return err
		}, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			var asked log
			client, _ := newClient(t, at(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				asked.Add(r.Method)
				panic(http.ErrAbortHandler)
			})), func(s *Settings) { s.Limits = upstream.Limits{Retries: 1} })
			_ = row.call(t.Context(), client, Resume(testConn()))
			if got := len(asked.All()) == 2; got != row.again {
				t.Errorf("%s was sent %d times; want it repeated: %v", name, len(asked.All()), row.again)
			}
		})
	}
}
