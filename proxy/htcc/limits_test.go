package htcc

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/fault"
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

// An Interaction Server that is away refuses what agents of chat do, and is nothing to those of voice.
func TestAHostThatAnswers500IsNotBroken(t *testing.T) {
	for body, broken := range map[string]bool{
		`{"statusCode":4,"statusMessage":"Interaction server connection is not opened"}`: false,
		`{"statusCode":"4"}`:                                           false,
		`{"status":"error","errorDescription":"x"}`:                    false,
		`{"timestamp":1,"status":500,"error":"Internal Server Error"}`: true,
		`{"statusCode":"x"}`:                                           true,
		`{}`:                                                           true,
		`<html>`:                                                       true,
		``:                                                             true,
	} {
		synctest.Test(t, func(t *testing.T) {
			client, _ := newClient(t, at(says(500, body)), func(s *Settings) {
				s.Limits = upstream.Limits{BreakerCalls: 10, BreakerWithin: 10 * time.Second, BreakerPause: 5 * time.Second}
			})
			session := Resume(testConn())
			for range 20 {
				_, _ = client.Operation(t.Context(), session, PathMe, []byte(`{"operationName":"Ready"}`))
			}
			_, err := client.Me(t.Context(), session)
			if got := fault.RetryAfter(err) > 0; got != broken {
				t.Errorf("%s: the host is not called: %v; want %v", body, got, broken)
			}
		})
	}
}
