package icws

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/fault"
	"portico/proxy/upstream"
	"portico/proxy/upstream/memhttp"
	"portico/translate/icwsapi"
)

func TestLogInsBeginAtThePaceOfTheSite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var mu sync.Mutex
		var at []time.Duration
		answer := kept(t, "login-201.http")
		client, _ := newClient(t, memhttp.Network{"": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			at = append(at, time.Since(began))
			mu.Unlock()
			answer(w, r)
		})}, func(s *Settings) {
			s.Limits = upstream.Limits{Logins: 10, LoginQueue: 7, LoginWait: 10 * time.Second}
		})
		var work sync.WaitGroup
		for range 4 {
			work.Go(func() { _, _ = client.Login(t.Context(), Credentials{UserID: "anna", Password: "anna"}) })
			work.Go(func() { _, _, _ = client.NativeLogin(nativeRequest(t, "POST", "/icws/connection", "{}")) })
		}
		synctest.Wait()
		_, err := client.Login(t.Context(), Credentials{UserID: "anna", Password: "anna"})
		if !errors.Is(err, fault.Overloaded) || fault.RetryAfter(err) < time.Second {
			t.Errorf("a log-in for which the queue has no room: %v, again after %v; want %v and at least a second", err, fault.RetryAfter(err), fault.Overloaded)
		}
		work.Wait()
		for n, when := range at {
			if want := time.Duration(n) * 100 * time.Millisecond; when != want {
				t.Errorf("log-in %d was sent after %v; want %v", n, when, want)
			}
		}
		if len(at) != 8 {
			t.Errorf("%d log-ins were sent; want 8", len(at))
		}
	})
}

// TestWhichCallsAreRepeated breaks the connection of one call.
func TestWhichCallsAreRepeated(t *testing.T) {
	conn := testConn()
	for name, row := range map[string]struct {
		call  func(ctx context.Context, c *Client) error
		again bool
	}{
		"a status":            {func(ctx context.Context, c *Client) error { _, err := c.UserStatus(ctx, conn, "anna"); return err }, true},
		"the catalogue":       {func(ctx context.Context, c *Client) error { _, err := c.StatusMessages(ctx, conn); return err }, true},
		"access":              {func(ctx context.Context, c *Client) error { _, err := c.UserAccess(ctx, conn, "anna"); return err }, true},
		"activations":         {func(ctx context.Context, c *Client) error { _, err := c.Activations(ctx, conn, "anna"); return err }, true},
		"the connection":      {func(ctx context.Context, c *Client) error { _, err := c.ConnectionState(ctx, conn); return err }, true},
		"a heartbeat":         {func(ctx context.Context, c *Client) error { return c.Heartbeat(ctx, conn) }, true},
		"a log-out":           {func(ctx context.Context, c *Client) error { return c.Logout(ctx, conn) }, true},
		"a poll, which takes": {func(ctx context.Context, c *Client) error { _, err := c.Drain(ctx, conn); return err }, false},
		"a log-in": {func(ctx context.Context, c *Client) error {
			_, err := c.Login(ctx, Credentials{UserID: "anna", Password: "anna"})
			return err
		}, false},
		"a change of status": {func(ctx context.Context, c *Client) error {
			_, err := c.SetUserStatus(ctx, conn, "anna", icwsapi.UserStatusUpdate{StatusID: "Available"})
			return err
		}, false},
		"a change of activations": {func(ctx context.Context, c *Client) error {
			return c.SetActivations(ctx, conn, "anna", map[string]bool{"Sales": true})
		}, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			var asked log
			client, _ := newClient(t, at(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				asked.Add(r.Method)
				panic(http.ErrAbortHandler)
			})), func(s *Settings) { s.Limits = upstream.Limits{Retries: 1} })
			_ = row.call(t.Context(), client)
			if got := len(asked.All()) == 2; got != row.again {
				t.Errorf("%s was sent %d times; want it repeated: %v", name, len(asked.All()), row.again)
			}
		})
	}
}

var ofBreaker = upstream.Limits{BreakerCalls: 10, BreakerWithin: 10 * time.Second, BreakerPause: 5 * time.Second}

// A backup refuses log-ins and names the active server; the sessions it has go on.
func TestAHostThatSendsUsElsewhereIsNotBroken(t *testing.T) {
	for id, broken := range map[string]bool{icwsapi.ErrorNotAcceptingConnections: false, icwsapi.ErrorUnavailable: false, "error.other": true} {
		synctest.Test(t, func(t *testing.T) {
			client, reg := newClient(t, at(says(503, `{"errorId":"`+id+`","message":"x","alternateHostList":[]}`)), func(s *Settings) { s.Limits = ofBreaker })
			for range 20 {
				_, _ = client.Login(t.Context(), Credentials{UserID: "anna", Password: "anna"})
			}
			open := value(t, reg, "portico_breaker_state", map[string]string{"host": "ic1.example", "state": "open"})
			if (open == 1) != broken {
				t.Errorf("%s: the breaker is open: %v; want %v", id, open == 1, broken)
			}
		})
	}
}

func TestAHostThatAnswers500IsNotBroken(t *testing.T) {
	for body, broken := range map[string]bool{
		`{"errorId":"error.server","message":"x"}`: false,
		`{"errorCode":-2147221498,"message":"x"}`:  false,
		`{"message":"An error has occurred."}`:     true,
		`<html>`:                                   true,
		``:                                         true,
	} {
		synctest.Test(t, func(t *testing.T) {
			client, reg := newClient(t, at(says(500, body)), func(s *Settings) { s.Limits = ofBreaker })
			for range 20 {
				_, _ = client.UserStatus(t.Context(), testConn(), "anna")
			}
			open := value(t, reg, "portico_breaker_state", map[string]string{"host": "ic1.example", "state": "open"})
			if (open == 1) != broken {
				t.Errorf("%s: the breaker is open: %v; want %v", body, open == 1, broken)
			}
		})
	}
}

// A host that cannot serve sessions is not asked for a while, however many log-ins it sends elsewhere.
func TestAHostThatServesNoSessionsIsBroken(t *testing.T) {
	for _, id := range []string{icwsapi.ErrorNotAcceptingConnections, icwsapi.ErrorUnavailable} {
		synctest.Test(t, func(t *testing.T) {
			client, reg := newClient(t, at(says(503, `{"errorId":"`+id+`","message":"x","alternateHostList":[]}`)), func(s *Settings) { s.Limits = ofBreaker })
			conn := Conn{Base: "http://ic1.example:8018", SessionID: "1", CSRFToken: "x", UserID: "anna"}
			for range 10 {
				_, _ = client.Login(t.Context(), Credentials{UserID: "anna", Password: "anna"})
				_, _ = client.Login(t.Context(), Credentials{UserID: "cleo", Password: "cleo"})
				_, err := client.UserStatus(t.Context(), conn, "anna")
				if !errors.Is(err, fault.Unreachable) {
					t.Errorf("%s: a session's call fails with %v; want %v", id, err, fault.Unreachable)
				}
			}
			if open := value(t, reg, "portico_breaker_state", map[string]string{"host": "ic1.example", "state": "open"}); open != 1 {
				t.Errorf("%s: the breaker is not open", id)
			}
		})
	}
}

func TestEachHostBehindAProxyHasItsBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ok := kept(t, "login-201.http")
		client, _ := newClient(t, at(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/api/ic1.example/") {
				says(502, "<html>")(w, r)
				return
			}
			ok(w, r)
		})), func(s *Settings) {
			s.Limits = ofBreaker
			s.Template = "http://proxy.example/api/{host}"
			s.Bases = []string{"http://proxy.example/api/ic1.example", "http://proxy.example/api/ic2.example"}
		})
		conn := testConn()
		conn.Base = client.settings.Bases[0]
		for range 20 {
			_, _ = client.UserStatus(t.Context(), conn, "anna")
		}
		_, err := client.UserStatus(t.Context(), conn, "anna")
		if !errors.Is(err, fault.Unreachable) || fault.RetryAfter(err) == 0 {
			t.Errorf("a call of the host that failed: %v; want one that is not sent", err)
		}
		opened, err := client.Login(t.Context(), Credentials{UserID: "anna", Password: "anna"})
		if err != nil || opened.Base != client.settings.Bases[1] {
			t.Errorf("a log-in: %v, %v; want one at the other host", opened, err)
		}
	})
}

// TestALostAnswerToAPollIsNotReplaced has a site take a poll and close the connection: a second one would be answered
// without what the first had taken off the queue.
func TestALostAnswerToAPollIsNotReplaced(t *testing.T) {
	var polls atomic.Int32
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if polls.Add(1) == 2 {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Type", icwsapi.ContentType)
		_, _ = w.Write([]byte("[]"))
	}))
	defer site.Close()
	client, _ := newClient(t, nil, func(s *Settings) { s.HTTP = site.Client().Transport })
	conn := Conn{Base: site.URL, SessionID: "1402219001", UserID: "anna"}
	for i, lost := range []bool{false, true, false} {
		_, err := client.Drain(t.Context(), conn)
		if (err != nil) != lost {
			t.Errorf("poll %d = %v; want it lost: %v", i+1, err, lost)
		}
	}
	if got := polls.Load(); got != 3 {
		t.Errorf("the site was asked for messages %d times; want 3", got)
	}
}
