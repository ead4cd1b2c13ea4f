package icwssim

import (
	"bytes"
	"net/http"
	"strings"

	"portico/proxy/simulation"
)

// send queues a message for whoever reads the session's messages next. The caller holds s.mu.
func (session *session) send(message any) {
	if session.ended {
		return
	}
	session.queue = append(session.queue, simulation.Encode(message))
	session.rouse()
}

// rouse has the stream look what is queued.
func (session *session) rouse() {
	select {
	case session.wake <- struct{}{}:
	default: // the stream, if there is one, knows already
	}
}

// getMessages answers GET .../messaging/messages: a stream if the client accepts one and the server
// has them, else what is queued, which is then gone.
//
// Source: ICWS, Getting started: Messaging; release notes 2016 R3 for the stream.
func getMessages(s *Server, c *call) reply {
	accept := strings.ToLower(strings.Join(c.request.Header.Values("Accept"), ","))
	if strings.Contains(accept, "text/event-stream") && s.messagingVersion(c) >= 2 {
		return reply{status: http.StatusOK, stream: c.session}
	}
	messages := s.drain(c.session)
	r := empty(http.StatusOK)
	r.body = append(append([]byte("["), bytes.Join(messages, []byte(","))...), ']')
	return r
}

// drain empties the session's queue. An ended session is forgotten with its last message.
func (s *Server) drain(session *session) [][]byte {
	messages := session.queue
	session.queue = nil
	if session.ended && !s.RememberEnded {
		delete(s.ended, session.id)
	}
	return messages
}

// postHeartbeat answers POST .../messaging/heartbeat; that the session was asked something is all
// it does.
func postHeartbeat(s *Server, _ *call) reply {
	if s.NoHeartbeat {
		return notFound()
	}
	return empty(http.StatusOK)
}
