package proxy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"

	"portico/proxy/upstream"
)

// A wire leads to the hosts of a site without a network. It can be cut, it can change what answers say
// of themselves, and it counts what is sent.
type wire struct {
	next  http.RoundTripper
	agent string // whose passwords are counted

	mu     sync.Mutex             // guards the fields below
	dead   func(host string) bool // nil: none is
	kind   string                 // Content-Type of all answers; "" leaves them theirs
	open   map[*http.Request]context.CancelCauseFunc
	calls  int // for callers, repetitions included
	logins int // how often the agent's password was sent
}

func newWire(next http.RoundTripper, agent string) *wire {
	return &wire{next: next, agent: agent, open: map[*http.Request]context.CancelCauseFunc{}}
}

// cut breaks the connections to all hosts and refuses new ones.
func (w *wire) cut() { w.kill(func(string) bool { return true }) }

// kill does that to some hosts, by host and port.
func (w *wire) kill(dead func(host string) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = dead
	for req, breakOff := range w.open {
		if dead(req.URL.Host) {
			breakOff(io.ErrUnexpectedEOF)
		}
	}
}

// retype has all answers come with another Content-Type.
func (w *wire) retype(kind string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kind = kind
}

// mend makes the wire a good one again.
func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead, w.kind = nil, ""
}

// sent returns how many calls for callers, and passwords of the agent, were sent so far.
func (w *wire) sent() (calls, logins int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls, w.logins
}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, breakOff := context.WithCancelCause(req.Context())
	kind, err := w.enter(req, breakOff)
	if err != nil {
		breakOff(nil)
		return nil, err
	}
	res, err := w.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		w.leave(req)
		return nil, err
	}
	if kind != "" {
		res.Header.Set("Content-Type", kind)
	}
	res.Body = tapped{res.Body, func() { w.leave(req) }}
	return res, nil
}

func (w *wire) enter(req *http.Request, breakOff context.CancelCauseFunc) (kind string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if cause := upstream.CauseOf(req.Context()); cause == upstream.Client || cause == upstream.Retry {
		w.calls++
	}
	if userOf(req) == w.agent {
		w.logins++
	}
	if w.dead != nil && w.dead(req.URL.Host) {
		return "", &net.OpError{Op: "dial", Net: "memory", Err: syscall.ECONNREFUSED}
	}
	w.open[req] = breakOff
	return w.kind, nil
}

func (w *wire) leave(req *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	breakOff := w.open[req]
	delete(w.open, req)
	if breakOff != nil {
		breakOff(errors.New("closed"))
	}
}

// tapped is the body of an answer, whose request is over when it is closed.
type tapped struct {
	io.ReadCloser
	done func()
}

func (b tapped) Close() error {
	err := b.ReadCloser.Close()
	b.done()
	return err
}

// userOf returns whose password a request carries, "" if it carries none.
func userOf(req *http.Request) string {
	name, _, isBasic := req.BasicAuth()
	if isBasic || req.Method != http.MethodPost || !strings.HasSuffix(req.URL.Path, "/icws/connection") {
		return name
	}
	body, err := req.GetBody()
	if err != nil {
		return ""
	}
	content, _ := io.ReadAll(body) // of memory, which cannot fail
	_, after, _ := bytes.Cut(content, []byte(`"userID":"`))
	user, _, _ := bytes.Cut(after, []byte(`"`))
	return string(user)
}
