package memhttp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"syscall"
)

// flushAt is how much output makes its way without being flushed, in bytes.
const flushAt = 4096

// An exchange is one request and its answer. It is the handler's ResponseWriter; its body is the
// client's.
type exchange struct {
	ctx      context.Context
	cancel   context.CancelCauseFunc
	headSent chan struct{} // closed when status and sent are final
	broken   chan struct{} // closed when the handler broke the connection before that

	header http.Header // the handler's

	mu      sync.Mutex // guards the fields below
	status  int        // 0 before WriteHeader
	sent    http.Header
	flushed bool // the head was
	pending bytes.Buffer
	visible bytes.Buffer
	end     error         // set when no more will come
	more    chan struct{} // room for one: visible or end changed
}

func newExchange(ctx context.Context, cancel context.CancelCauseFunc) *exchange {
	return &exchange{
		ctx:      ctx,
		cancel:   cancel,
		headSent: make(chan struct{}),
		broken:   make(chan struct{}),
		header:   make(http.Header),
		more:     make(chan struct{}, 1),
	}
}

// serve runs the handler and ends the answer.
func (e *exchange) serve(handler http.Handler, req *http.Request) {
	defer func() {
		failure := recover()
		err, _ := failure.(error)
		if failure != nil && !errors.Is(err, http.ErrAbortHandler) {
			panic(failure)
		}
		e.finish(failure != nil)
	}()
	handler.ServeHTTP(e, req)
}

// finish ends the answer, with all that was written or broken off.
func (e *exchange) finish(aborted bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if aborted {
		e.end = io.ErrUnexpectedEOF
		if !e.flushed {
			close(e.broken)
		}
	} else {
		e.flush()
		e.end = io.EOF
	}
	e.wake()
}

// Header returns the headers that WriteHeader will send.
func (e *exchange) Header() http.Header { return e.header }

// WriteHeader fixes status and headers; the first call counts.
func (e *exchange) WriteHeader(status int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.head(status)
}

func (e *exchange) head(status int) {
	if e.status != 0 {
		return
	}
	e.status = status
	e.sent = canonical(e.header)
}

// canonical is a header as a client reads it: names come in their canonical form, however the
// handler spelled them.
func canonical(sent http.Header) http.Header {
	h := make(http.Header)
	for name, values := range sent {
		name = http.CanonicalHeaderKey(name)
		h[name] = append(h[name], values...)
	}
	return h
}

// Write fails once the client is gone.
func (e *exchange) Write(p []byte) (int, error) {
	if e.ctx.Err() != nil {
		return 0, syscall.EPIPE
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.head(http.StatusOK)
	n, err := e.pending.Write(p)
	if e.pending.Len() >= flushAt {
		e.flush()
	}
	return n, err
}

// Flush lets the client see what was written.
func (e *exchange) Flush() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.flush()
}

func (e *exchange) flush() {
	e.head(http.StatusOK)
	if !e.flushed {
		e.flushed = true
		close(e.headSent)
	}
	_, _ = e.pending.WriteTo(&e.visible)
	e.wake()
}

// wake tells a waiting Read to look again.
func (e *exchange) wake() {
	select {
	case e.more <- struct{}{}:
	default:
	}
}

// response is the client's side of the answer.
func (e *exchange) response(req *http.Request) *http.Response {
	return &http.Response{
		Status:        strconv.Itoa(e.status) + " " + http.StatusText(e.status),
		StatusCode:    e.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        e.sent,
		Body:          (*body)(e),
		ContentLength: -1,
		Request:       req,
	}
}

// body is an exchange as the client reads it.
type body exchange

// Read waits for visible output, the end, or the end of the request's context.
func (b *body) Read(p []byte) (int, error) {
	for {
		if b.ctx.Err() != nil {
			return 0, context.Cause(b.ctx)
		}
		n, err := b.take(p)
		if n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
		select {
		case <-b.more:
		case <-b.ctx.Done():
		}
	}
}

func (b *body) take(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.visible.Len() > 0 {
		return b.visible.Read(p)
	}
	return 0, b.end
}

// Close makes the handler's context end.
func (b *body) Close() error {
	b.cancel(errClosed)
	return nil
}
