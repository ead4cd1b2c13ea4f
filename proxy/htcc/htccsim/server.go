// Package htccsim simulates an HTCC server, which is Genesys Web Services 8.5.202.96: an
// http.Handler in memory, for tests and for `portico demo`.
//
// It does what is documented of the /me API or was seen on the wire, contradictions between the two
// included: there the wire wins and a field of Server chooses the other. Where no source says what
// a real server does, the comment beside it begins with "Guess:".
//
// On the paths below /_sim/ it is told to change, to fail, and to report what it was asked; the
// methods of Server do the same for tests in Go.
package htccsim

import (
	"net/http"
	"sync"
	"time"

	"portico/proxy/push"
	"portico/proxy/simulation"
	"portico/translate/htccapi"
)

// Server is a simulated HTCC server. The zero value works: it has the stock users, places and agent
// states. The exported fields are its knobs, to be set before first use, or some of them on
// /_sim/settings. All methods may be called by many goroutines at once. Close ends what still runs.
type Server struct {
	// Users are the people who may log in. Nil means StockUsers.
	Users []User

	// Places are where StartContactCenterSession may seat an agent, besides the users' own places.
	// Nil means StockPlaces.
	Places []Place

	// AgentStates are the states an agent may choose. Nil means StockAgentStates.
	AgentStates []htccapi.AgentStateSetting

	// Version is what diagnostics/version says; empty means 8.5.202.96.
	Version string

	// Dialect is the shape of answers; empty means DialectStatusCode, which is what real servers
	// speak. The other one exists in documents only, and has the paths without /api/v2 as well.
	Dialect htccapi.Dialect

	// StringCodes writes statusCode as a string, as some samples of the documents do.
	StringCodes bool

	// CSRF demands the token of the session for POST, PUT and DELETE, notifications included.
	CSRF bool

	// VoiceInChannels lists voice among the channels, as the documents do; 8.5.202.96 shows it as
	// device only.
	VoiceInChannels bool

	// EmptyLists shows chats and interactions as [] when there are none, as a capture of 2016 does;
	// 8.5.202.96 leaves them out.
	EmptyLists bool

	// PublicURL begins every uri; empty means scheme and host as the agent dialled them.
	PublicURL string

	// IdleTimeout ends an HTTP session that was asked nothing for so long and holds no connect;
	// zero means 1800 s, negative never.
	IdleTimeout time.Duration

	// NotifyDelay is the time from an operation's answer to its notification, or if negative from
	// notification to answer. Zero means the spread that was measured: 13 ms before, then 2, 20 and
	// 85 ms after, in turn.
	NotifyDelay time.Duration

	// StateDelay is the time from an operation's answer until the state changes. Guess: zero, the
	// state has changed when the answer is sent.
	StateDelay time.Duration

	// LoginDelay is how long a device stays LoggedIn before the switch gives it its state; zero
	// means 20 ms, negative no time, so that both notifications come together.
	LoginDelay time.Duration

	// VoiceAtLogin is that state, by its operation; empty means Ready.
	VoiceAtLogin htccapi.Operation

	// LoggedOutAfterOutage brings devices and channels back as LoggedOut when their server is back,
	// instead of as NotReady. Both are documented, NotReady as the default.
	LoggedOutAfterOutage bool

	// DocumentSize is the length of documents/{id}/content unless the query says size=N; zero means
	// 100 MB.
	DocumentSize int64 // bytes

	// ConnectTimeout is how long a connect of CometD is held; zero means 30 s.
	ConnectTimeout time.Duration

	// MaxInterval is how long a CometD session lives between two connects; zero means 10 s.
	MaxInterval time.Duration

	// LenientCometD finds CometD sessions by clientId alone; a real server wants the browser cookie
	// that belongs to it too.
	LenientCometD bool

	// Now is the clock of the dates on the wire and in the log; nil means time.Now. Delays and
	// time-outs use package time.
	Now func() time.Time

	start sync.Once
	life  *simulation.Life // ended by Close

	running sync.WaitGroup

	// mu guards everything below.
	mu         sync.Mutex
	cometd     *push.Server
	stopCometD func()
	agents     map[string]*agent  // by lower-cased user name
	devices    map[string]*device // by id
	sessions   map[string]*session
	exchanges  map[*exchange]struct{} // requests to /notifications under way
	issued     int                    // sessions so far
	voiceDown  bool
	mediaDown  bool
	pending    []func() // changes and notifications on their way, in order
	isPlaying  bool     // one of them is being called
	gathers    bool     // notifications wait for others, to go out together
	gathered   []push.Publication
	operated   int // operations so far, for the spread of NotifyDelay
	faults     simulation.Faults
	record     simulation.Record[Was]
}

// ServeHTTP answers HTCC requests, and control requests below /_sim/.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.start.Do(s.init)
	path := simulation.Segments(r.URL.EscapedPath())
	if len(path) > 0 && path[0] == "_sim" {
		s.controls().Serve(w, r, path[1:])
		return
	}
	s.serveHTCC(w, r, path)
}

// Close ends held requests, timers and notifications. It is no log-out: a closed server is gone.
// It may be called more than once.
func (s *Server) Close() {
	s.start.Do(s.init)
	s.stop()
	s.cometd.Close()
	s.stopCometD()
	s.running.Wait()
}

func (s *Server) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.life.End() {
		return
	}
	for _, session := range s.sessions {
		session.idle.Stop()
	}
}

func (s *Server) init() {
	s.life = simulation.NewLife(&s.mu)
	s.agents = make(map[string]*agent)
	s.devices = make(map[string]*device)
	s.sessions = make(map[string]*session)
	s.exchanges = make(map[*exchange]struct{})
	if s.Users == nil {
		s.Users = StockUsers()
	}
	if s.Places == nil {
		s.Places = StockPlaces()
	}
	if s.AgentStates == nil {
		s.AgentStates = StockAgentStates()
	}
	for _, place := range s.Places {
		s.furnish(place)
	}
	for _, u := range s.Users {
		s.addAgent(u)
	}
	s.startCometD()
}

// now returns the time for the wire.
func (s *Server) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// later calls f after d. Calls keep their order whatever their delays, as events of a real server
// do, which timers alone would not: one that is due overtakes nothing, but takes the first in line.
// The caller holds s.mu.
func (s *Server) later(d time.Duration, f func()) {
	s.pending = append(s.pending, f)
	s.life.After(d, s.nextPending)
}

func (s *Server) nextPending() {
	if len(s.pending) == 0 {
		return // catchUp was first
	}
	first := s.pending[0]
	s.pending = s.pending[1:]
	s.isPlaying = true
	first()
	s.isPlaying = false
}

// catchUp calls at once what later was to call, so that what comes next does not overtake it. What
// is called that way overtakes nothing: the rest of the line comes after it.
func (s *Server) catchUp() {
	for len(s.pending) > 0 && !s.isPlaying {
		s.nextPending()
	}
}
