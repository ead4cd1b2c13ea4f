package proxy

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync/atomic"
)

// A watchedBody is the body of a request that is passed through, and knows whether it was read to its
// end. Methods may be called on nil, a request without a body.
type watchedBody struct {
	io.ReadCloser
	streams bool // over HTTP/2
	ended   atomic.Bool
	slow    atomic.Bool // it did not come in time
}

// watched returns a copy of a request whose body is watched. The server keeps the request itself, and
// looks for its own body there.
func watched(r *http.Request) (*http.Request, *watchedBody) {
	if r.Body == nil || r.Body == http.NoBody {
		return r, nil
	}
	body := &watchedBody{ReadCloser: r.Body, streams: r.ProtoMajor >= 2}
	request := r.WithContext(r.Context())
	request.Body = body
	return request, body
}

// Read implements io.Reader.
func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		b.ended.Store(true)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		b.slow.Store(true)
	}
	return n, err
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
