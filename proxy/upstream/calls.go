package upstream

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// Calls makes calls that change something, or are sent once, over HTTP/1.1 connections that are kept. The goroutine that
// asks writes the request and reads the answer itself. Any number of goroutines may use it.
//
// http.Transport has two goroutines for each connection, to which a call and its answer are handed over, and needs
// a context and a timer for each call. BenchmarkCalls measures both: of 83 allocations 52 are saved, and a third of
// the processor time, what the host takes of it included.
type Calls struct {
	// Transport says how to dial, what TLS to speak, and how many connections wait for the next call, for how
	// long. Its own are requests that go through a proxy, those with a long body, and all other reads, whose answers
	// may be long and come to it compressed.
	Transport *http.Transport

	mu    sync.Mutex
	idle  map[host][]*line // the last used last; guarded by mu
	sweep *time.Timer      // closes those that have waited for too long; guarded by mu
}

// A host is where a connection leads.
type host struct{ scheme, address string }

// longestSent is how long the body of a call may be, in bytes: what the other side takes without having read
// any of it, so that it can be written before the answer is looked for.
const longestSent = 16 << 10

// exchange sends a request and reads the answer. The request is sent again, over a new connection, if nothing of
// it could be written to one that was kept, and in no other case: it may have been carried out. The connection is
// counted in site.
func (c *Calls) exchange(ctx context.Context, req *http.Request, site *Site, maxBody int64) (Reply, reason, error) {
	text := texts.Get().(*[]byte)
	defer texts.Put(text)
	err := write(text, req)
	if err != nil {
		why, err := sendFailure(ctx, err)
		return Reply{}, why, err
	}
	to := host{req.URL.Scheme, req.URL.Host}
	for kept := c.take(to); kept != nil; kept = c.take(to) {
		reply, why, err := kept.exchange(ctx, req, *text, maxBody)
		if errors.Is(err, errStale) {
			continue
		}
		site.got(true)
		if err == nil || kept.wrote || ctx.Err() != nil {
			return reply, why, err
		}
		break
	}
	conn, err := dial(ctx, c.Transport, req.URL)
	if err != nil {
		why, err := sendFailure(ctx, err)
		return Reply{}, why, err
	}
	site.got(false)
	return newLine(c, to, conn).exchange(ctx, req, *text, maxBody)
}

// write writes a request into text.
func write(text *[]byte, req *http.Request) error {
	plain, ok, err := appendRequest((*text)[:0], req)
	if err != nil {
		return err
	}
	if !ok {
		written := bytes.NewBuffer(plain)
		err = req.Write(written)
		plain = written.Bytes()
	}
	*text = plain
	return err
}

// takes reports whether a request changes something, or is to be sent once, has a short body in memory, and goes
// through no proxy.
func (c *Calls) takes(req *http.Request) bool {
	read := (req.Method == http.MethodGet || req.Method == http.MethodHead) && !isOnce(req.Context())
	short := req.Body == nil || req.GetBody != nil && req.ContentLength <= longestSent
	return !read && short && !proxied(c.Transport, req)
}

var texts = sync.Pool{New: func() any { return new([]byte) }}

// take returns the connection to a host that was used last, nil if there is none.
func (c *Calls) take(to host) *line {
	c.mu.Lock()
	defer c.mu.Unlock()
	waiting := c.idle[to]
	if len(waiting) == 0 {
		return nil
	}
	last := waiting[len(waiting)-1]
	c.idle[to] = waiting[:len(waiting)-1]
	return last
}

// keep keeps a connection for the next call, or closes it.
func (c *Calls) keep(l *line) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Transport.DisableKeepAlives || len(c.idle[l.to]) >= c.mostIdle() {
		_ = l.conn.Close()
		return
	}
	if c.idle == nil {
		c.idle = map[host][]*line{}
	}
	l.since = time.Now()
	c.idle[l.to] = append(c.idle[l.to], l)
	if c.sweep == nil && c.Transport.IdleConnTimeout > 0 {
		c.sweep = time.AfterFunc(c.Transport.IdleConnTimeout, c.closeOld)
	}
}

func (c *Calls) mostIdle() int {
	if c.Transport.MaxIdleConnsPerHost > 0 {
		return c.Transport.MaxIdleConnsPerHost
	}
	return http.DefaultMaxIdleConnsPerHost
}

// closeOld closes the connections that have waited for too long.
func (c *Calls) closeOld() { c.closeSince(time.Now().Add(-c.Transport.IdleConnTimeout)) }

// CloseIdleConnections closes those that wait for the next call.
func (c *Calls) CloseIdleConnections() {
	c.closeSince(time.Now())
	c.Transport.CloseIdleConnections()
}

// closeSince closes the connections that have waited since a time, and looks again for those that are left.
func (c *Calls) closeSince(since time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	left := false
	for to, waiting := range c.idle {
		for len(waiting) > 0 && !waiting[0].since.After(since) {
			_ = waiting[0].conn.Close()
			waiting = waiting[1:]
		}
		c.idle[to] = waiting
		left = left || len(waiting) > 0
		if len(waiting) == 0 {
			delete(c.idle, to)
		}
	}
	if c.sweep != nil {
		c.sweep.Stop()
		c.sweep = nil
	}
	if left {
		c.sweep = time.AfterFunc(c.Transport.IdleConnTimeout, c.closeOld)
	}
}
