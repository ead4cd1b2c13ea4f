package native

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// OpensStream reports a request that would open a session's event stream.
//
// Source: ICWS reference, GET /icws/{sessionId}/messaging/messages.
func OpensStream(req *http.Request) bool {
	accept := strings.ToLower(strings.Join(req.Header.Values("Accept"), ","))
	return req.Method == http.MethodGet && strings.Contains(accept, "text/event-stream") && resourceOf(req).takesMessages()
}

// A stream is the body of an event stream that an application holds through us. What it brings is the application's
// alone, and stays as it is.
type stream struct {
	io.ReadCloser
	ended    func()
	once     sync.Once
	released atomic.Bool
}

// follow counts a stream until its end: it keeps its session proven, if the application that opened it
// proved to be the session's.
func (s *sessions) follow(res *http.Response, asking asking) {
	holds := asking.session != nil && asking.proves && res.StatusCode/100 == 2
	one := &stream{ReadCloser: res.Body}
	one.ended = func() {
		if holds {
			asking.session.hold(-1)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.streams, one)
	}
	if holds {
		asking.session.hold(1)
	}
	res.Body = one
	s.mu.Lock()
	s.streams[one] = true
	over := s.over
	s.mu.Unlock()
	if over {
		one.letGo()
	}
}

// Read implements io.Reader. A stream that was let go ends as one does that the site ends.
func (s *stream) Read(p []byte) (int, error) {
	read, err := s.ReadCloser.Read(p)
	if err != nil {
		s.once.Do(s.ended)
	}
	if err != nil && s.released.Load() {
		err = io.EOF
	}
	return read, err
}

// Close implements io.Closer.
func (s *stream) Close() error {
	s.once.Do(s.ended)
	return s.ReadCloser.Close()
}

// letGo ends the stream from our side.
func (s *stream) letGo() {
	s.released.Store(true)
	_ = s.Close()
}
