package proxy

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// A standIn learns a site's answers and events, and then gives them itself, to the letter: what is counted
// with it is Portico's alone, but for few and constant allocations of its own.
type standIn struct {
	site http.RoundTripper

	mu       sync.Mutex
	knows    bool                // it answers itself; guarded by mu
	doing    string              // what the agent does; guarded by mu
	answers  map[string]*learned // by method, path and what the agent does; guarded by mu
	heard    bytes.Buffer        // of the event stream that is to be learned; guarded by mu
	opening  []byte              // what a stream begins with; guarded by mu
	stream   *fed                // the newest; guarded by mu
	answered int                 // by itself; guarded by mu
}

// learned is an answer of the site.
type learned struct {
	status int
	header http.Header
	body   []byte
}

// RoundTrip asks the site and learns the answer, or gives the one it has learned.
func (s *standIn) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.knows {
		return s.askLocked(r)
	}
	if r.Body != nil {
		_ = r.Body.Close()
	}
	a := s.answers[r.Method+" "+r.URL.Path+s.doing]
	if a == nil {
		return nil, fmt.Errorf("the stand-in has not learned %s %s while the agent does %q", r.Method, r.URL.Path, s.doing)
	}
	s.answered++
	answer := &http.Response{StatusCode: a.status, Header: a.header, Body: io.NopCloser(bytes.NewReader(a.body)), Request: r}
	if isStream(r) {
		s.stream = &fed{rest: s.opening, events: make(chan []byte), done: r.Context().Done()}
		answer.Body = s.stream
	}
	return answer, nil
}

// askLocked asks the site and learns the answer.
func (s *standIn) askLocked(r *http.Request) (*http.Response, error) {
	answer, err := s.site.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	a := &learned{status: answer.StatusCode, header: answer.Header}
	s.answers[r.Method+" "+r.URL.Path+s.doing] = a
	if isStream(r) {
		answer.Body = &overheard{ReadCloser: answer.Body, by: s}
		return answer, nil
	}
	defer answer.Body.Close()
	a.body, err = io.ReadAll(answer.Body)
	answer.Body = io.NopCloser(bytes.NewReader(a.body))
	return answer, err
}

func isStream(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/messaging/messages") }

// does tells it what the agent does now: requests are answered as they were when that was learned, for a
// change of state has a number by which its completion is known.
func (s *standIn) does(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.doing = what
}

// learn returns what the stream has brought since it was last called.
func (s *standIn) learn() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.heard.Reset()
	return bytes.Clone(s.heard.Bytes())
}

// answer has it answer itself from now on. Streams begin with what is given.
func (s *standIn) answer(opening []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.knows, s.opening = true, opening
}

// tell brings events over the stream.
func (s *standIn) tell(events []byte) {
	s.mu.Lock()
	stream := s.stream
	s.mu.Unlock()
	stream.events <- events
}

// given returns how many answers it gave itself.
func (s *standIn) given() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.answered
}

// overheard is the body of a site's stream.
type overheard struct {
	io.ReadCloser
	by *standIn
}

func (o *overheard) Read(p []byte) (int, error) {
	n, err := o.ReadCloser.Read(p)
	o.by.mu.Lock()
	defer o.by.mu.Unlock()
	o.by.heard.Write(p[:n])
	return n, err
}

// fed is the body of a stream that brings what it is fed. It ends with its request.
type fed struct {
	rest   []byte
	events chan []byte
	done   <-chan struct{}
}

func (f *fed) Read(p []byte) (int, error) {
	if len(f.rest) == 0 {
		select {
		case f.rest = <-f.events:
		case <-f.done:
			return 0, io.ErrUnexpectedEOF
		}
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

func (f *fed) Close() error { return nil }
