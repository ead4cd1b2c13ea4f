package htccsim

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"portico/proxy/push"
)

// unlimited is more than a test will use: CometD sets no bounds unless it is told to.
const unlimited = 1 << 20

// startCometD begins to serve notifications: CometD 3.1 without websocket.
//
// Source: GWS deployment guide, CometD.
func (s *Server) startCometD() {
	cometd := push.New(push.Options{
		Timeout: s.ConnectTimeout, MaxInterval: s.MaxInterval, TrustClientSession: s.LenientCometD,
		MaxMessageSize: unlimited, MaxBatch: unlimited, MaxSubscriptions: unlimited,
		MaxClients: unlimited, MaxQueue: unlimited, MaxQueueBytes: unlimited * 64,
	})
	ctx, cancel := context.WithCancel(context.Background())
	s.stopCometD = cancel
	s.cometd = cometd
	s.running.Go(func() { _ = cometd.Run(ctx) }) // ends with ctx alone
}

// owner is under which name the agent's CometD sessions are kept: they belong to the user, since
// clients that send Basic each time have another HTTP session each time.
func (a *agent) owner() string { return a.id }

// publish sends notifications now.
func (s *Server) publish(a *agent, all ...push.Publication) {
	now := time.Now()
	for i := range all {
		all[i].Received = now
	}
	err := s.cometd.PublishAll(a.owner(), all...)
	if err != nil {
		panic("htccsim: publish a notification of our own: " + err.Error())
	}
}

// restartCometD begins anew with other settings, as a server does that is restarted: clients are to shake hands again.
// The caller holds s.mu, and calls stop without it.
func (s *Server) restartCometD() (stop func()) {
	old, stopOld := s.cometd, s.stopCometD
	s.startCometD()
	return func() {
		old.Close()
		stopOld()
	}
}

// dropCometD ends the agent's CometD sessions: held connects and the next requests are told 402, and
// to shake hands.
func (s *Server) dropCometD(a *agent) { s.cometd.End(a.owner(), push.Handshake) }

// exchange is a request to /notifications under way, which may be a held connect.
type exchange struct {
	session  *session
	cometd   *push.Server
	leave    context.CancelFunc
	isBroken bool // its connection is to break off instead of an answer
}

// serveNotifications answers /notifications and its suffixes. The HTTP session must be the user's;
// the rest is CometD's business.
func serveNotifications(s *Server, c *call) reply {
	return reply{status: http.StatusOK, serve: func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		x := s.begin(c.session, cancel)
		defer s.conclude(x)
		out := &eventWriter{ResponseWriter: w, isCut: func() bool { return s.cutsEvent(x) }}
		_ = x.cometd.Serve(out, r.WithContext(ctx), x.session.agent.owner()) // who left, or came again, is no fault of ours
		if out.wasCut || s.isBroken(x) {
			_ = http.NewResponseController(w).Flush() // so that the first half arrives
			panic(http.ErrAbortHandler)
		}
	}}
}

func (s *Server) begin(session *session, leave context.CancelFunc) *exchange {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := &exchange{session: session, cometd: s.cometd, leave: leave}
	session.held++
	s.exchanges[x] = struct{}{}
	return x
}

// conclude ends an exchange. The session's idle time begins with the end of its connect.
func (s *Server) conclude(x *exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x.leave()
	delete(s.exchanges, x)
	x.session.held--
	if !x.session.isOver && !s.life.IsOver() {
		s.keepAlive(x.session)
	}
}

func (s *Server) isBroken(x *exchange) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return x.isBroken
}

// cutsEvent says whether the event about to be written is to break off.
func (s *Server) cutsEvent(x *exchange) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults.Take(truncateEvent, x.session.agent.UserName, "") != nil
}

// breakConnects breaks off the connections of what is held for these agents; false means that there
// was nothing.
func (s *Server) breakConnects(f Fault) bool {
	found := false
	for x := range s.exchanges {
		if f.Reaches(x.session.agent.UserName, "") {
			x.isBroken, found = true, true
			x.leave()
		}
	}
	return found
}

// eventWriter writes half of an answer that has events in it, if that is what is to happen. CometD
// is not told, as a server is not whose network fails: the events are lost.
type eventWriter struct {
	http.ResponseWriter
	isCut  func() bool
	wasCut bool
}

// Write reports success for what it does not write.
func (out *eventWriter) Write(b []byte) (int, error) {
	if out.wasCut {
		return len(b), nil
	}
	if bytes.Contains(b, []byte(`"messageType"`)) && out.isCut() {
		out.wasCut = true
		_, err := out.ResponseWriter.Write(b[:len(b)/2])
		return len(b), err
	}
	return out.ResponseWriter.Write(b)
}

// Unwrap lets CometD flush and set deadlines.
func (out *eventWriter) Unwrap() http.ResponseWriter { return out.ResponseWriter }
