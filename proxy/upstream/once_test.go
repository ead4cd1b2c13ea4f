package upstream

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/fault"
)

// TestReadsThatAreSentOnce has a host take a read on a connection that was kept, and close it without an answer:
// the caller must learn that it was lost.
func TestReadsThatAreSentOnce(t *testing.T) {
	do := func(c *Caller, req *http.Request) error {
		_, err := c.Do(req, "get", 100)
		return err
	}
	through := func(c *Caller, req *http.Request) error {
		res, err := c.Through("get", time.Minute).RoundTrip(req)
		if err == nil {
			_, err = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}
		return err
	}
	open := func(c *Caller, req *http.Request) error {
		_, stream, err := c.Open(context.Background(), req, "get", 100, time.Minute)
		if err == nil {
			_, err = io.Copy(io.Discard, stream)
			_ = stream.Close()
		}
		return err
	}
	for _, tt := range []struct {
		name  string
		calls bool
		send  func(*Caller, *http.Request) error
		once  bool
		heard int
	}{
		{"by calls of their own", true, do, true, 3},
		{"by net/http", false, do, true, 3},
		{"passed through", false, through, true, 3},
		{"a stream by net/http", false, open, true, 3},
		{"any other", true, do, false, 4},
		{"any other that is passed through", false, through, false, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &pipes{}
				p.answer = func(conn net.Conn, body string) {
					p.mu.Lock()
					second := len(p.heard) == 2
					p.mu.Unlock()
					if second {
						_ = conn.Close()
						return
					}
					echo(conn, body)
				}
				caller, _ := newPiped(t, p)
				if !tt.calls {
					caller.Calls = nil
				}
				ctx := t.Context()
				if tt.once {
					ctx = Once(ctx)
				}
				for i, lost := range []bool{false, tt.once, false} {
					err := tt.send(caller, newRequest(t, ctx, "http://pc.example/"))
					if lost != errors.Is(err, fault.Unreachable) || !lost && err != nil {
						t.Errorf("read %d = %v; want it lost: %v", i+1, err, lost)
					}
				}
				if len(p.heard) != tt.heard {
					t.Errorf("the host was sent %d reads; want %d", len(p.heard), tt.heard)
				}
				caller.Transport.(*http.Transport).CloseIdleConnections()
			})
		})
	}
}
