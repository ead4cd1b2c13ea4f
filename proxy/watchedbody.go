package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync/atomic"

	"portico/proxy/fault"
)

// A watchedBody is the body of a request that is passed through, and knows whether it was read to its
// end. Methods may be called on nil, a request without a body.
type watchedBody struct {
	io.ReadCloser
	trailer http.Header // which the server fills at the body's end
	streams bool        // over HTTP/2
	ended   atomic.Bool
	slow    atomic.Bool // it did not come in time
}

// watched returns a copy of a request whose body is watched. The server keeps the request itself, and
// looks for its own body there.
func watched(r *http.Request) (*http.Request, *watchedBody) {
	if r.Body == nil || r.Body == http.NoBody {
		return r, nil
	}
	body := &watchedBody{ReadCloser: r.Body, trailer: r.Trailer, streams: r.ProtoMajor >= 2}
	request := r.WithContext(r.Context())
	request.Body = body
	return request, body
}

// Read implements io.Reader. What a caller's headers do not tell the site, their trailer does not.
func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		b.ended.Store(true)
		delete(b.trailer, "Cookie")
		delete(b.trailer, "Authorization")
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		b.slow.Store(true)
	}
	return n, err
}

// blamed returns why a request failed: because its body came too slowly, if it did, else err.
func (b *watchedBody) blamed(err error) error {
	if b == nil || !b.slow.Load() {
		return err
	}
	return &fault.Error{Kind: fault.Invalid, Public: textSlow, Err: err}
}

// closeUnread has the connection closed after an answer that did not wait for the body's end. Under
// full duplex the server reads what is left only after the answer, takes the end of that for a sign
// to wait for the next request, and panics when it comes to do so. Over HTTP/2 what is left unread is
// no other request's affair, while every request, even one without a body, has one that nobody may read.
func (b *watchedBody) closeUnread(header http.Header) {
	if b != nil && !b.streams && !b.ended.Load() {
		header.Set("Connection", "close")
	}
}

// A watchedAnswer is the body of an answer that is passed through, and knows why it could not be read to its end. One
// goroutine uses it.
type watchedAnswer struct {
	io.ReadCloser
	of     context.Context // the request's
	failed error           // nil: it was read, as far as it was asked for
}

// Read implements io.Reader.
func (a *watchedAnswer) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		a.failed = err
	}
	return n, err
}

// errBrokenOff is what the log says of an answer that did not come to its end.
var errBrokenOff = errors.New("proxy: pass through: the answer broke off")

// brokenOff returns why the answer did not come to its end: what the site did, or, where its request was ended here, who
// did that.
func (a *watchedAnswer) brokenOff() error {
	why := a.failed
	if errors.Is(why, context.Canceled) {
		why = context.Cause(a.of)
	}
	if why == nil {
		return errBrokenOff
	}
	return fmt.Errorf("%w: %w", errBrokenOff, why)
}
