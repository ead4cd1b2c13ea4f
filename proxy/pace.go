package proxy

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"portico/proxy/quick"
)

// A pace is how slow a caller may be. It bounds neither how long an answer is waited for nor how long
// one goes on: held polls, event streams, sockets and large files may take their time.
type pace struct {
	body  time.Duration // all waits for parts of a body together; what came gives some of it back
	write time.Duration // one wait for the caller to take what is there
}

const (
	defaultPace = 30 * time.Second
	bodyRate    = 1 << 10  // bytes that give a second back
	writePiece  = 16 << 10 // bytes that are to be taken within one wait
	unreadWait  = time.Second
)

// kept keeps callers to the pace.
func (p pace) kept(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, whole := w.(*quick.Response)
		if whole { // so is the body, and the connection bounds the write: what follows cost a change of state 2 µs for nothing
			next.ServeHTTP(w, r)
			return
		}
		out := &pacedWriter{ResponseWriter: w, control: http.NewResponseController(w), wait: p.write, streams: r.ProtoMajor == 2}
		out.begin()
		defer out.end()
		if r.Body == nil || r.Body == http.NoBody {
			next.ServeHTTP(out, r)
			return
		}
		body := &pacedBody{ReadCloser: r.Body, control: out.control, most: p.body, left: p.body, streams: out.streams}
		out.body = body
		body.begin()
		defer body.end()
		in := r.WithContext(r.Context()) // the server looks for its own body in r
		in.Body = body
		next.ServeHTTP(out, in)
	})
}

// A pacedBody is a request's body that must come in time. Only waiting for the caller counts, not what
// becomes of the body meanwhile.
//
// Over HTTP/1 a deadline is always set until the body has ended, since the server itself reads what the
// handler left. Over HTTP/2 one that passes ends the body at once, so it is set only while reading.
type pacedBody struct {
	io.ReadCloser
	control *http.ResponseController
	streams bool // over HTTP/2
	most    time.Duration
	left    time.Duration // used by one reader at a time
	waited  atomic.Int64  // nanoseconds, for the caller
	slow    atomic.Bool   // it did not come in time
	cut     atomic.Bool   // the connection was closed here, as Portico does when it stops

	mu    sync.Mutex
	ended bool // read to its end; guarded by mu
	over  bool // the handler has returned: deadlines are the server's; guarded by mu
}

func (b *pacedBody) begin() {
	if !b.streams {
		b.deadline(b.most)
	}
}

// Read implements io.Reader. A body that comes too slowly fails with os.ErrDeadlineExceeded.
func (b *pacedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		b.slow.Store(true)
		return 0, os.ErrDeadlineExceeded
	}
	if !b.deadline(b.left) {
		return 0, http.ErrBodyReadAfterClose
	}
	began := time.Now()
	n, err := b.ReadCloser.Read(p)
	waited := time.Since(began)
	b.waited.Add(int64(waited))
	b.left = min(b.most, b.left-waited+time.Duration(n)*time.Second/bodyRate)
	b.blame(err)
	if err == io.EOF {
		b.finish()
	} else if b.streams {
		b.deadline(0)
	}
	return n, err
}

// blame notes whose fault it is that reading failed, if it is not that the caller left.
func (b *pacedBody) blame(err error) {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		b.slow.Store(true)
	case errors.Is(err, net.ErrClosed):
		b.cut.Store(true)
	}
}

// finish takes the deadline away: a connection that is watched while a poll is held has none.
func (b *pacedBody) finish() {
	b.deadline(0)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
}

// end leaves the server a moment to read what the handler left, or to give the connection up.
func (b *pacedBody) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	if !b.ended && !b.streams {
		_ = b.control.SetReadDeadline(time.Now().Add(unreadWait))
	}
}

// deadline sets it from now on, none if wait is 0. It reports false, and does nothing, once the handler
// has returned: what sent the body on may still read then, and the deadlines are those of the next
// request. A connection that knows no deadlines, as in tests, has none.
func (b *pacedBody) deadline(wait time.Duration) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.over {
		_ = b.control.SetReadDeadline(deadlineIn(wait))
	}
	return !b.over
}

func deadlineIn(wait time.Duration) time.Time {
	if wait == 0 {
		return time.Time{}
	}
	return time.Now().Add(wait)
}

// A pacedWriter is an answer that the caller must take in time. Over HTTP/2 a deadline that passes ends
// the stream at once, so it is set only while writing. Over HTTP/1 it stays, for what the server writes
// after the handler.
type pacedWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	body    *pacedBody // of the request; nil if it has none
	wait    time.Duration
	waited  atomic.Int64 // nanoseconds, for the caller
	streams bool         // over HTTP/2
	taken   bool         // somebody else has the connection
}

// slowness returns how long the caller was waited for so far: to send the body, and to take the answer. It
// may be called on nil, of a caller who is kept to no pace.
func (w *pacedWriter) slowness() time.Duration {
	if w == nil {
		return 0
	}
	waited := w.waited.Load()
	if w.body != nil {
		waited += w.body.waited.Load()
	}
	return time.Duration(waited)
}

// gaveUp reports whether it was Portico that gave the body up: it came too slowly, or Portico stops. The
// request's context ends then too. It may be called on nil.
func (w *pacedWriter) gaveUp() bool {
	return w != nil && w.body != nil && (w.body.slow.Load() || w.body.cut.Load())
}

// cutOff reports whether Portico stops before the body has come. It may be called on nil.
func (w *pacedWriter) cutOff() bool { return w != nil && w.body != nil && w.body.cut.Load() }

// begin takes away what the request before has left.
func (w *pacedWriter) begin() {
	if !w.streams {
		_ = w.control.SetWriteDeadline(time.Time{})
	}
}

// end leaves the server one wait for what it has not written yet.
func (w *pacedWriter) end() {
	if !w.taken {
		_ = w.control.SetWriteDeadline(time.Now().Add(w.wait))
	}
}

// Write implements http.ResponseWriter, piece by piece, so that a long answer may take long.
func (w *pacedWriter) Write(p []byte) (int, error) {
	written := 0
	for {
		piece := p[written:min(len(p), written+writePiece)]
		n, err := w.inTime(func() (int, error) { return w.ResponseWriter.Write(piece) })
		written += n
		if err != nil || written >= len(p) {
			return written, err
		}
	}
}

// FlushError is what http.ResponseController calls.
func (w *pacedWriter) FlushError() error {
	_, err := w.inTime(func() (int, error) { return 0, w.control.Flush() })
	return err
}

// Flush implements http.Flusher, which the router asks for.
func (w *pacedWriter) Flush() { _ = w.FlushError() }

func (w *pacedWriter) inTime(write func() (int, error)) (int, error) {
	began := time.Now()
	_ = w.control.SetWriteDeadline(began.Add(w.wait))
	n, err := write()
	w.waited.Add(int64(time.Since(began)))
	if w.streams {
		_ = w.control.SetWriteDeadline(time.Time{})
	}
	return n, err
}

// Hijack implements http.Hijacker, which the router asks for. It takes all deadlines away.
func (w *pacedWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := w.control.Hijack()
	w.taken = err == nil
	return conn, buffered, err
}

// Unwrap is for http.ResponseController.
func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
