package icwssim

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"portico/proxy/simulation"
	"portico/translate/icwsapi"
)

// The scenarios. With a user they hit that user, else everybody.
const (
	expireSession   = "expire-session"           // sessions end without a word: 401 from now on
	forceLogoff     = "force-logoff"             // a supervisor ends sessions: a last message, then 401
	dropStream      = "drop-stream"              // open streams end; sessions live on
	truncateEvent   = "truncate-event"           // the next event (Times: so many) breaks off in its middle and is lost
	resetConnection = simulation.ResetConnection // open streams break off and lose what is queued; or the next call does
	switchover      = "switchover"               // this node becomes the backup: sessions end, log-ins get 503 and Hosts
	garbage         = "garbage"                  // calls are answered 200 with HTML, or with Body
	hang            = simulation.Hang            // calls get no answer (for Delay, if given, then the connection breaks)
	noLicence       = "no-licence"               // log-ins and licence requests are refused for want of a licence
	messaging1      = "messaging-1"              // the server is one of before 2016 R3: no streams

	icDown         = "ic-down"         // the IC server is lost: sessions are told and work no more
	icUp           = "ic-up"           // and it is back
	refuseAsync    = "refuse-async"    // status changes are accepted, then fail
	loseCompletion = "lose-completion" // status changes succeed, but no completion says so
	noAnswer       = "no-answer"       // the user did not pick up: AcdAgentNotAnswering
	startCall      = "call"            // an ACD call begins: on the phone
	endCall        = "end-call"        // it ends: Follow Up if the status allows, and back after Delay (5 s)
)

const (
	icDownReason     = "The connection to the IC server was lost."
	logoffReason     = "The session was logged out by a supervisor."
	switchoverReason = "A switchover is in progress."
)

// Scenarios lists the names that Fault.Scenario can have.
func Scenarios() []string {
	return []string{
		expireSession, forceLogoff, dropStream, truncateEvent, resetConnection, switchover, garbage, hang,
		noLicence, messaging1, icDown, icUp, refuseAsync, loseCompletion, noAnswer, startCall, endCall,
	}
}

// Fault makes something go wrong from now on, or once. It fails if f names a user, scenario or
// route that does not exist, or numbers that make no sense; the text says what would be right.
func (s *Server) Fault(f Fault) error {
	err := repertoire.Check(f)
	if err != nil {
		return fmt.Errorf("icwssim: %w", err)
	}
	s.start.Do(s.init)
	s.mu.Lock()
	defer s.mu.Unlock()
	var u *user
	if f.User != "" {
		u = s.user(f.User)
		if u == nil {
			return s.unknownUser(f.User)
		}
	}
	switch f.Scenario {
	case noAnswer, startCall, endCall:
		if u == nil {
			return fmt.Errorf("icwssim: scenario %q needs a user", f.Scenario)
		}
		return s.happen(f, u)
	}
	return s.goWrong(f)
}

// happen plays what the system does to one user.
func (s *Server) happen(f Fault, u *user) error {
	switch f.Scenario {
	case startCall:
		s.setOnPhone(u, true)
	case endCall:
		s.setOnPhone(u, false)
		s.followUp(u, cmp.Or(f.Delay, 5*time.Second))
	case noAnswer:
		entry := s.status("AcdAgentNotAnswering")
		if entry == nil {
			return fmt.Errorf("icwssim: scenario %q: the catalogue has no status AcdAgentNotAnswering", f.Scenario)
		}
		s.setStatus(u, statusChange{statusID: entry.StatusID})
	}
	return nil
}

// followUp gives the user time after a call, if the present status allows it. Guess: the status
// before comes back, unless the user chose another meanwhile.
//
// Source: ICWS reference, status-messages: isAllowFollowUpStatus, isAfterCallWorkStatus.
func (s *Server) followUp(u *user, length time.Duration) {
	entry := s.status(u.now.StatusID)
	i := slices.IndexFunc(s.catalogue, func(entry status) bool { return entry.IsAfterCallWorkStatus })
	if entry == nil || !entry.IsAllowFollowUpStatus || i < 0 {
		return
	}
	back := entry.StatusID
	s.setStatus(u, statusChange{statusID: s.catalogue[i].StatusID})
	meant := u.changes
	s.life.After(length, func() {
		if u.changes == meant {
			s.setStatus(u, statusChange{statusID: back})
		}
	})
}

// goWrong plays the scenarios that hit sessions, or arms a fault.
func (s *Server) goWrong(f Fault) error {
	hit := s.sessionsOf(f)
	switch f.Scenario {
	case expireSession:
		for _, session := range hit {
			s.end(session, "")
		}
		return nil
	case forceLogoff:
		s.endTelling(hit, cmp.Or(f.Reason, logoffReason), false)
		return nil
	case dropStream:
		breakStreams(hit, false)
		return nil
	case icDown, icUp:
		s.tellDown(f.Scenario == icDown)
		return nil
	case resetConnection:
		if f.Route == "" && breakStreams(hit, true) {
			return nil
		}
		f.Times = max(f.Times, 1)
	case truncateEvent:
		f.Times = max(f.Times, 1)
	case switchover:
		if !f.KeepSessions {
			s.endTelling(hit, cmp.Or(f.Reason, switchoverReason), true)
		}
	}
	s.faults.Arm(f)
	return nil
}

// sessionsOf returns the sessions that a fault is for, oldest first.
func (s *Server) sessionsOf(f Fault) []*session {
	var hit []*session
	for _, session := range s.sessions {
		if f.Reaches(session.user.id, session.host) {
			hit = append(hit, session)
		}
	}
	slices.SortFunc(hit, func(a, b *session) int { return cmp.Compare(a.id, b.id) })
	return hit
}

// endTelling ends sessions with a last message that says why. Guess: shouldReconnect is true if
// logging in again makes sense.
func (s *Server) endTelling(sessions []*session, reason string, shouldReconnect bool) {
	for _, session := range sessions {
		reason := session.language.say(reason)
		session.send(connectionState(icwsapi.ConnectionUp, icwsapi.ConnectionDown, reason, &shouldReconnect))
		u := session.user
		session.shouldReconnect = &shouldReconnect
		s.end(session, reason)
		if !shouldReconnect {
			s.leaveStatus(u)
		}
	}
}

// tellDown says to all sessions that the IC server is lost or back. Guess: they survive that.
func (s *Server) tellDown(isDown bool) {
	if s.down == isDown {
		return
	}
	s.down = isDown
	for _, session := range s.sessions {
		if isDown {
			session.send(connectionState(icwsapi.ConnectionUp, icwsapi.ConnectionDown, session.language.say(icDownReason), new(true)))
		} else {
			session.send(connectionState(icwsapi.ConnectionDown, icwsapi.ConnectionUp, "", nil))
		}
	}
}

func connectionState(from, to int, reason string, shouldReconnect *bool) icwsapi.ConnectionStateChangeMessage {
	return icwsapi.ConnectionStateChangeMessage{
		Head:                    icwsapi.Head{Type: icwsapi.TypeConnectionStateChange},
		PreviousConnectionState: from, NewConnectionState: to, Reason: reason, ShouldReconnect: shouldReconnect,
	}
}

// breakStreams ends the open streams of the sessions, or breaks them off with all that was to come;
// false means that there was none.
func breakStreams(sessions []*session, isBreak bool) bool {
	found := false
	for _, session := range sessions {
		if session.stream == nil {
			continue
		}
		found = true
		if isBreak {
			session.queue = nil
		}
		session.stream.end(isBreak)
	}
	return found
}
