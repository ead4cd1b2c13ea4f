package quick

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"portico/proxy/plainhttp"
)

// A Response is an answer of a handler that leaves in one write: when the handler has returned, or flushes what
// it has announced. It says what an answer of net/http does. One goroutine uses it.
type Response struct {
	to     io.Writer
	header http.Header
	status int // 0: there is none yet
	body   []byte
	out    []byte
	sent   bool
	err    error // of the write
}

// NewResponse returns an answer that is written to a connection. The caller calls End once the handler has
// returned: then nobody may hold on to its headers any more.
func NewResponse(to io.Writer) *Response {
	w := responses.Get().(*Response)
	w.to = to
	return w
}

// usualHeaders are more than answers have.
const usualHeaders = 12

var responses = sync.Pool{New: func() any { return &Response{header: make(http.Header, usualHeaders)} }}

// Header implements http.ResponseWriter.
func (w *Response) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter. Interim answers, which nobody waits for here, are left out.
func (w *Response) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
}

// Write implements http.ResponseWriter.
func (w *Response) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	switch {
	case w.sent:
		return 0, http.ErrContentLength
	case !hasBody(w.status):
		return 0, http.ErrBodyNotAllowed
	}
	w.body = append(w.body, p...)
	return len(p), nil
}

// hasBody reports whether an answer has one.
//
// Source: RFC 9110, 6.4.1.
func hasBody(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}

// FlushError is what http.ResponseController calls. Only an answer that is there as it was announced leaves early.
func (w *Response) FlushError() error {
	if w.header.Get("Content-Length") != strconv.Itoa(len(w.body)) {
		return http.ErrNotSupported
	}
	w.send()
	return w.err
}

// Flush implements http.Flusher, which the router asks for.
func (w *Response) Flush() { _ = w.FlushError() }

// ErrLast is returned for an answer that is the last on its connection, by its own word.
var ErrLast = errors.New("the connection ends with this answer")

// End writes the answer, if it has not left, and returns what became of the write. The Response may not be used
// any more.
func (w *Response) End() error {
	w.send()
	err := w.err
	if err == nil && strings.EqualFold(w.header.Get("Connection"), "close") {
		err = ErrLast
	}
	if cap(w.out) <= largestKept && cap(w.body) <= largestKept && len(w.header) <= usualHeaders {
		clear(w.header)
		*w = Response{header: w.header, body: w.body[:0], out: w.out[:0]}
		responses.Put(w)
	}
	return err
}

// largestKept is how large a buffer is at most that is used again, in bytes.
const largestKept = 16 << 10

// send writes the answer as net/http does: its own headers come last.
func (w *Response) send() {
	if w.sent {
		return
	}
	w.sent = true
	w.WriteHeader(http.StatusOK)
	out, plain := plainhttp.AppendHeader(plainhttp.AppendStatus(w.out, w.status), w.header)
	if !plain {
		written := bytes.NewBuffer(out)
		_ = w.header.Write(written)
		out = written.Bytes()
	}
	w.out = append(w.appendOwn(out), w.body...)
	_, w.err = w.to.Write(w.out)
}

// appendOwn appends the headers that the handler has left out, and the end of all.
func (w *Response) appendOwn(text []byte) []byte {
	if !w.has("Date") {
		text = plainhttp.AppendDate(text, time.Now())
	}
	if hasBody(w.status) && !w.has("Content-Length") {
		text = plainhttp.AppendLength(text, int64(len(w.body)))
	}
	if hasBody(w.status) && !w.has("Content-Type") && len(w.body) > 0 {
		text = plainhttp.AppendField(text, "Content-Type", http.DetectContentType(w.body))
	}
	return append(text, plainhttp.LineEnd...)
}

func (w *Response) has(name string) bool {
	_, has := w.header[name]
	return has
}
