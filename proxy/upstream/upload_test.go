package upstream

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"portico/proxy/fault"
	"portico/proxy/upstream/rig"
)

// pass makes a request of ic1 that is passed through, with a body or without one.
func (g *guarded) pass(ctx context.Context, body io.Reader) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://ic1/", body)
	if err != nil {
		g.t.Fatal(err)
	}
	res, err := g.Through("get", time.Hour).RoundTrip(req)
	if err == nil {
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
	}
	return err
}

// What callers do to their own requests must not keep others from the host: anybody may send some.
func TestCallersCannotOpenTheBreaker(t *testing.T) {
	reads := func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }
	broken := errors.New("invalid byte in chunk length")
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		body   func() io.Reader
		want   error // nil for an answer
	}{
		"a body that breaks off": {reads, func() io.Reader {
			return io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken))
		}, fault.Invalid},
		"a request at which the host fails": {rig.Says("text/plain", 500, ""), func() io.Reader { return nil }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGuarded(t, ofBreaker)
				g.answer = test.answer
				for range 100 {
					err := g.pass(t.Context(), test.body())
					if !errors.Is(err, test.want) {
						t.Fatalf("passed through = %v; want %v", err, test.want)
					}
				}
				g.state("after a hundred of them", "closed")
				g.answer = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
				g.failing(10)
				time.Sleep(ofBreaker.BreakerPause * 6 / 5)
				g.answer = test.answer
				_ = g.pass(t.Context(), test.body())
				g.state("after one of them as the trial", "half_open")
				g.answer = rig.Says("text/plain", 200, "ok")
				if err := g.ask(t.Context(), "ic1"); err != nil {
					t.Errorf("the next trial: %v", err)
				}
				g.state("after a trial that succeeded", "closed")
			})
		})
	}
}

// A host that hangs up while the caller is still sending is at fault, also where the caller gives up then.
func TestAHostThatHangsUpDuringAnUpload(t *testing.T) {
	g := newGuarded(t, ofBreaker)
	g.Transport = roundTripper(func(req *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, req.Body)
		return nil, syscall.ECONNRESET
	})
	for range 10 {
		err := g.pass(t.Context(), iotest.ErrReader(io.ErrUnexpectedEOF))
		if !errors.Is(err, fault.Unreachable) {
			t.Fatalf("passed through = %v; want %v", err, fault.Unreachable)
		}
	}
	g.state("after ten of them", "open")
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
