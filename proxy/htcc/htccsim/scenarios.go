package htccsim

import (
	"fmt"

	"portico/proxy/simulation"
	"portico/translate/htccapi"
)

// The scenarios. With a user they hit that user, else everybody.
const (
	expireSession    = "expire-session"           // HTTP sessions end without a word: 403 with 20 from now on
	forceLogoff      = "force-logoff"             // agents are logged out, are told, and their HTTP sessions end
	dropStream       = "drop-stream"              // CometD sessions end: 402; HTTP sessions live on
	truncateEvent    = "truncate-event"           // the next answer with an event (Times: so many) breaks off in its middle; the event is lost
	resetConnection  = simulation.ResetConnection // held connects break off; or the next call does
	csrfChange       = "csrf-change"              // tokens change; the next GET shows the new ones
	deviceTaken      = "device-taken"             // a session cannot start with voice: somebody else sits at the device
	refuseAsync      = "refuse-async"             // a state operation is answered with success, then fails: ErrorMessage
	loseNotification = "lose-notification"        // a notification is never sent

	voiceDown  = "voice-down" // the switch is lost: devices Inactive
	voiceUp    = "voice-up"   // and back: NotReady
	mediaDown  = "multimedia-down"
	mediaUp    = "multimedia-up"
	backDown   = "backend-down" // both
	backUp     = "backend-up"
	startCall  = "call"     // a call is established
	endCall    = "end-call" // and released
	endSession = "end-contact-center-session"

	// What follows changes answers, of Route if it is given, and Times.
	garbage         = "garbage"             // 200 with HTML, or with Body
	hang            = simulation.Hang       // no answer (for Delay, if given, then the connection breaks)
	hangBody        = "hang-body"           // half an answer, then nothing (likewise)
	truncateBody    = "truncate-body"       // half an answer, then the connection breaks
	redirect        = "redirect"            // to a foreign host, or to Location
	dialectA        = "dialect-status"      // {"status":"ok"}
	dialectB        = "dialect-status-code" // {"statusCode":0}
	stringCodes     = "string-status-code"  // {"statusCode":"0"}
	missingChannels = "missing-channels"    // no channels where they are asked for
	emptyCookie     = "empty-cookie"        // JSESSIONID without value
	hugeHeaders     = "huge-headers"        // 8 MB
)

// answerScenarios are those that wait for calls and change their answers.
var answerScenarios = []string{
	garbage, hang, hangBody, truncateBody, redirect, dialectA, dialectB, stringCodes, missingChannels, emptyCookie, hugeHeaders,
	resetConnection,
}

// Scenarios lists the names that Fault.Scenario can have.
func Scenarios() []string {
	return append([]string{
		expireSession, forceLogoff, dropStream, truncateEvent, csrfChange, deviceTaken, refuseAsync, loseNotification,
		voiceDown, voiceUp, mediaDown, mediaUp, backDown, backUp, startCall, endCall, endSession,
	}, answerScenarios...)
}

// Fault makes something go wrong from now on, or once. It fails if f names a user, scenario or
// route that does not exist, or numbers that make no sense; the text says what would be right.
func (s *Server) Fault(f Fault) error {
	err := repertoire.Check(f)
	if err != nil {
		return fmt.Errorf("htccsim: %w", err)
	}
	s.start.Do(s.init)
	s.mu.Lock()
	defer s.mu.Unlock()
	hit, err := s.agentsOf(f)
	if err != nil {
		return err
	}
	if s.happens(f, hit) {
		return nil
	}
	switch f.Scenario {
	case resetConnection:
		if f.Route == "" && s.breakConnects(f) {
			return nil
		}
		f.Times = max(f.Times, 1)
	case truncateEvent, refuseAsync, loseNotification:
		f.Times = max(f.Times, 1)
	}
	s.faults.Arm(f)
	return nil
}

// agentsOf returns the agents that a fault is for, by name.
func (s *Server) agentsOf(f Fault) ([]*agent, error) {
	if f.User != "" {
		a := s.agent(f.User)
		if a == nil {
			return nil, s.unknownUser(f.User)
		}
		return []*agent{a}, nil
	}
	if f.Scenario == startCall || f.Scenario == endCall {
		return nil, fmt.Errorf("htccsim: scenario %q needs a user", f.Scenario)
	}
	return s.everybody(), nil
}

// happens plays the scenarios that are over at once; false means that f is none of them.
func (s *Server) happens(f Fault, hit []*agent) bool {
	var play func(*agent)
	switch f.Scenario {
	case expireSession:
		play = s.endAll
	case forceLogoff:
		play = func(a *agent) {
			s.logOut(a)
			s.endAll(a)
		}
	case endSession:
		play = s.logOut
	case dropStream:
		play = s.dropCometD
	case csrfChange:
		play = changeTokens
	case startCall:
		play = s.startCall
	case endCall:
		play = s.endCall
	default:
		return s.backendHappens(f, hit)
	}
	for _, a := range hit {
		play(a)
	}
	return true
}

// backendHappens plays the loss and return of servers: for one agent as if they alone were cut off,
// for all with the services that say so.
func (s *Server) backendHappens(f Fault, hit []*agent) bool {
	which, isDown := backends{}, false
	switch f.Scenario {
	case voiceDown, voiceUp:
		which, isDown = backends{voice: true}, f.Scenario == voiceDown
	case mediaDown, mediaUp:
		which, isDown = backends{media: true}, f.Scenario == mediaDown
	case backDown, backUp:
		which, isDown = backends{voice: true, media: true}, f.Scenario == backDown
	default:
		return false
	}
	if f.User == "" {
		s.setBackends(which, isDown)
		return true
	}
	for _, a := range hit {
		s.setBackendsOf(a, which, isDown)
	}
	return true
}

// endAll ends the agent's HTTP sessions, and with the last their CometD sessions.
func (s *Server) endAll(a *agent) {
	for session := range a.sessions {
		s.end(session)
	}
}

func changeTokens(a *agent) {
	for session := range a.sessions {
		session.csrf = randomUUID()
	}
}

// caller is who rings.
const caller = "5550100"

// startCall establishes a call at the agent's telephone.
func (s *Server) startCall(a *agent) {
	phone := a.phone()
	if phone == nil {
		return
	}
	id := randomUUID()
	a.calls = append(a.calls, htccapi.Call{
		ID: id, State: "Established", CallUUID: id, ConnID: id[:8], DeviceURI: s.uri(a, "/devices/"+phone.id),
		Participants: []htccapi.Participant{{FormattedPhoneNumber: caller, PhoneNumber: caller, Digits: caller}},
		ANI:          caller, DNIS: phone.number, CallType: "Inbound", Capabilities: []htccapi.Operation{"Hangup", "Hold"},
		UserData: map[string]string{}, Duration: "0", Mute: htccapi.Off, URI: s.uri(a, "/me/calls/"+id), Path: "/calls/" + id,
	})
	s.tellCall(a, a.calls[len(a.calls)-1])
}

// endCall releases all calls of the agent.
func (s *Server) endCall(a *agent) {
	for _, one := range a.calls {
		one.State, one.Participants, one.Capabilities = "Released", []htccapi.Participant{}, []htccapi.Operation{}
		s.tellCall(a, one)
	}
	a.calls = nil
}

func (s *Server) tellCall(a *agent, one htccapi.Call) {
	s.tell(a, htccapi.TopicCalls, htccapi.CallStateChangeMessage{
		MessageType: htccapi.TypeCallStateChange, NotificationType: htccapi.CallStatusChange, Call: one, PhoneNumber: one.DNIS,
		Extensions: map[string]any{},
	}, 0)
}
