package gateway

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// A power is the way to hosts that can be switched off: connections break, and new ones are refused.
type power struct {
	next http.RoundTripper

	mu     sync.Mutex
	off    map[string]bool                            // by host and port
	open   map[string]map[int]context.CancelCauseFunc // requests under way
	n      int
	logins map[string][]time.Time // when a password was sent, by host
}

func newPower(next http.RoundTripper) *power {
	return &power{next: next, off: map[string]bool{}, open: map[string]map[int]context.CancelCauseFunc{}, logins: map[string][]time.Time{}}
}

// turn switches a host off or on.
func (p *power) turn(host string, on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.off[host] = !on
	if on {
		return
	}
	for _, cut := range p.open[host] {
		cut(io.ErrUnexpectedEOF)
	}
}

// RoundTrip implements http.RoundTripper.
func (p *power) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cut := context.WithCancelCause(req.Context())
	number, ok := p.enter(req, cut)
	if !ok {
		cut(nil)
		return nil, &net.OpError{Op: "dial", Net: "memory", Err: syscall.ECONNREFUSED}
	}
	res, err := p.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		p.leave(req.URL.Host, number)
		return nil, err
	}
	res.Body = powered{res.Body, func() { p.leave(req.URL.Host, number) }}
	return res, nil
}

func (p *power) enter(req *http.Request, cut context.CancelCauseFunc) (int, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	host := req.URL.Host
	_, _, basic := req.BasicAuth()
	if basic || req.Method == http.MethodPost && req.URL.Path == "/icws/connection" {
		p.logins[host] = append(p.logins[host], time.Now())
	}
	if p.off[host] {
		return 0, false
	}
	if p.open[host] == nil {
		p.open[host] = map[int]context.CancelCauseFunc{}
	}
	p.n++
	p.open[host][p.n] = cut
	return p.n, true
}

func (p *power) leave(host string, number int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	cut := p.open[host][number]
	delete(p.open[host], number)
	if cut != nil {
		cut(errors.New("closed"))
	}
}

// asked returns how often a password was sent to a host.
func (p *power) asked(host string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.logins[host])
}

// most returns how many passwords at most were sent to a host within a second.
func (p *power) most(host string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	most := 0
	for first, from := range p.logins[host] {
		n := 0
		for _, at := range p.logins[host][first:] {
			if at.Sub(from) < time.Second {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// powered is the body of an answer, whose request is over when it is closed.
type powered struct {
	io.ReadCloser
	done func()
}

// Close implements io.Closer.
func (b powered) Close() error {
	err := b.ReadCloser.Close()
	b.done()
	return err
}

// last returns when a password was sent to a host last.
func (p *power) last(host string) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.logins[host][len(p.logins[host])-1]
}
