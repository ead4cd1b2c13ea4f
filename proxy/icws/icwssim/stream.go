package icwssim

import (
	"cmp"
	"net/http"
	"time"
)

// stream is one open stream of server-sent events.
type stream struct {
	stop         chan bool // room for one; true breaks the stream off instead of ending it
	ping, maxAge time.Duration
}

// serveStream sends the session's messages as they come, those already queued first: one event a
// message, on one data line. A session has one stream; a new one ends the old one. Guess: servers
// may let them share the messages.
//
// Source: go-icws and the vendor's JavaScript library (the form of events and of the keep-alive).
func (s *Server) serveStream(w http.ResponseWriter, r *http.Request, session *session) {
	mine := s.openStream(session)
	defer s.closeStream(session, mine)
	out := eventWriter{w, http.NewResponseController(w)}
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	out.write([]byte(":ping\n\n"))

	ping := time.NewTicker(mine.ping)
	defer ping.Stop()
	var tooOld <-chan time.Time
	if mine.maxAge > 0 {
		tooOld = time.After(mine.maxAge)
	}
	for {
		if r.Context().Err() != nil {
			return // before the queue is emptied for nobody
		}
		if !s.forward(out, session, mine) {
			return
		}
		select {
		case <-session.wake:
		case <-ping.C:
			out.write([]byte(":ping\n\n"))
		case isBreak := <-mine.stop:
			if isBreak {
				panic(http.ErrAbortHandler)
			}
			return
		case <-session.over:
		case <-tooOld:
			return
		case <-r.Context().Done():
			return
		case <-s.life.Over():
			return
		}
	}
}

// forward writes what is queued and returns false when the session has ended and said its last, or has a newer
// stream, which gets what is queued.
func (s *Server) forward(out eventWriter, session *session, mine *stream) bool {
	s.mu.Lock()
	if session.stream != nil && session.stream != mine {
		session.rouse()
		s.mu.Unlock()
		return false
	}
	ended := session.ended
	isCut := len(session.queue) > 0 && s.faults.Take(truncateEvent, session.user.id, session.host) != nil
	var messages [][]byte
	if isCut {
		messages, session.queue = session.queue[:1], session.queue[1:]
	} else {
		messages = s.drain(session)
	}
	s.mu.Unlock()

	if isCut {
		event := event(messages[0])
		out.write(event[:len(event)/2])
		panic(http.ErrAbortHandler)
	}
	for _, message := range messages {
		out.write(event(message))
	}
	return !ended
}

func event(message []byte) []byte {
	return append(append([]byte("data: "), message...), "\n\n"...)
}

func (s *Server) openStream(session *session) *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	if session.stream != nil {
		session.stream.end(false)
	}
	session.stream = &stream{
		stop: make(chan bool, 1), ping: cmp.Or(s.PingInterval, 15*time.Second), maxAge: s.StreamMaxAge,
	}
	return session.stream
}

// closeStream lets the idle time begin, unless a newer stream is open.
func (s *Server) closeStream(session *session, mine *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if session.stream != mine {
		return
	}
	session.stream = nil
	if !session.ended && !s.life.IsOver() {
		s.keepAlive(session)
	}
}

// end asks the stream to end, or to break off.
func (st *stream) end(isBreak bool) {
	select {
	case st.stop <- isBreak:
	default: // it is ending already
	}
}

// eventWriter sends each write on its way at once. Errors are left to the request's context, which
// ends when the client is gone.
type eventWriter struct {
	w     http.ResponseWriter
	flush *http.ResponseController
}

func (out eventWriter) write(b []byte) {
	_, _ = out.w.Write(b)
	_ = out.flush.Flush()
}
