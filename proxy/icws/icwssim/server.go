// Package icwssim simulates an ICWS server: an http.Handler in memory, for tests and for
// `portico demo`.
//
// It does what is documented of ICWS or was seen on the wire, errors, odd cookies and message
// splitting included. Where no source says what a real server does, the field of Server that
// chooses says so in its comment, beginning with "Guess:".
//
// On the paths below /_sim/ it is told to change, to fail, and to report what it was asked; the
// methods of Server do the same for tests in Go.
package icwssim

import (
	"cmp"
	"net/http"
	"sync"
	"time"

	"portico/proxy/simulation"
	"portico/translate/icwsapi"
)

// Server is a simulated ICWS server. The zero value works: it has the stock users, agents,
// catalogue and languages. The exported fields are its knobs, to be set before first use, or many
// of them on /_sim/settings. All methods may be called by many goroutines at once. Close ends what still runs.
type Server struct {
	// Users are the people who may log in. Nil means StockUsers, and agent0001 to agent9999, "Dora Lund"
	// and "emil.voss@example.com", who are like the stock user anna and whose password is their name.
	Users []User

	// Languages are those one may log in with, the default first. Nil means StockLanguages.
	Languages []Language

	// StatusMessages is the catalogue in the default language. Nil means StockStatusMessages.
	StatusMessages []icwsapi.StatusMessage

	// AsyncDelay passes between the 202 to a status change and the change itself; zero means 20 ms,
	// negative none: then the completion is queued before the 202 is sent.
	AsyncDelay time.Duration

	// IdleTimeout ends a session that was asked nothing for so long and has no open stream; zero
	// means 120 s, negative never. Guess: no source tells how long a session lives.
	IdleTimeout time.Duration

	// PingInterval is the time between the keep-alive comments of a stream; zero means 15 s. Guess.
	PingInterval time.Duration

	// StreamMaxAge, if positive, is when the server ends a stream by itself.
	StreamMaxAge time.Duration

	// MessagingVersion is the version of the feature "messaging"; zero means 2, 1 has no streams.
	MessagingVersion int

	// CompletionFirst queues the completion of a status change before the user status message that
	// tells of it, instead of after. Guess: the order is not known.
	CompletionFirst bool

	// RefuseAsync accepts a status outside the user's access list with 202 and refuses it in the
	// completion, instead of with 403. Guess: it is not known which.
	RefuseAsync bool

	// LoseCompletions sends no completions.
	LoseCompletions bool

	// AnnounceSameStatus sends a user status message also when the status set is the one the user
	// has. Guess: silence.
	AnnounceSameStatus bool

	// RevertAtUntil brings the status before back when a status with an end reaches it. Guess: the
	// server leaves it alone.
	RevertAtUntil bool

	// Lenient accepts cookie or CSRF token where both are required, and a log-in or server-info
	// without Accept-Language.
	Lenient bool

	// BasePath is what stands before /icws, such as "/api/{host}" for a proxy of the vendor's
	// pattern. {host} matches one segment, which is then the host that was dialled.
	BasePath string

	// ICServer is the name of the server in log-in answers and user statuses; empty means IC1.
	ICServer string

	// AlternateHosts is the alternateHostList of log-in answers, 201 and 503.
	AlternateHosts []string

	// Backup refuses log-ins with 503, as the waiting half of a switchover pair does.
	Backup bool

	// KeepLoggedOut leaves a user's loggedIn false while they have a session. Guess: a session sets
	// it, though it names log-ins to a CIC client.
	KeepLoggedOut bool

	// StatusAtLogout replaces a status that is not persistent when a user's last session is
	// deleted or forced off. Guess: empty keeps it, since the replacement is not documented.
	StatusAtLogout string

	// RememberEnded answers GET .../connection of an ended session with 200 and state 2 (down)
	// instead of 401. Both have been seen.
	RememberEnded bool

	// NoHeartbeat answers the heartbeat with 404, as servers before 2018 do. Guess: 200.
	NoHeartbeat bool

	// LicenceRefusal is the HTTP status of a log-in without licence; zero means 403. Guess: 400 or 403.
	LicenceRefusal int

	// LicenceStatuses are the licenseStatus of licences by name, icwsapi.LicenseUnknownError to LicenseUnknown; those not
	// named are available.
	LicenceStatuses map[string]int

	// Stations, if not nil, are the only stations one may log on to.
	Stations []string

	// Now is the clock of the dates on the wire and in the log; nil means time.Now. Delays and
	// time-outs use package time.
	Now func() time.Time

	start sync.Once
	life  *simulation.Life // ended by Close

	// mu guards everything below.
	mu              sync.Mutex
	users           map[string]*user // by lower-cased id
	sessions        map[string]*session
	ended           map[string]*session   // kept only with RememberEnded
	issued          int                   // sessions so far
	groupWatchers   map[*session]struct{} // sessions with a workgroup subscription
	stationWatchers map[*session]struct{} // sessions that subscribed to those of stations
	catalogue       []status
	tokens          map[string]authToken
	down            bool // the scenario ic-down
	pending         []func()
	faults          simulation.Faults
	record          simulation.Record[Was]
}

// ServeHTTP answers ICWS requests below BasePath and control requests below /_sim/.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.start.Do(s.init)
	path := simulation.Segments(r.URL.EscapedPath())
	if len(path) > 0 && path[0] == "_sim" {
		s.controls().Serve(w, r, path[1:])
		return
	}
	s.serveICWS(w, r, path)
}

// Close ends all streams, held requests and timers. It is no log-out: a closed server is gone.
// It may be called more than once.
func (s *Server) Close() {
	s.start.Do(s.init)
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
	s.users = make(map[string]*user)
	s.sessions = make(map[string]*session)
	s.ended = make(map[string]*session)
	s.groupWatchers = make(map[*session]struct{})
	s.stationWatchers = make(map[*session]struct{})
	s.tokens = make(map[string]authToken)
	if s.Languages == nil {
		s.Languages = StockLanguages()
	}
	s.initCatalogue()
	for _, u := range s.initialUsers() {
		s.addUser(u)
	}
}

// now returns the time for the wire.
func (s *Server) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

func (s *Server) icServer() string {
	if s.ICServer != "" {
		return s.ICServer
	}
	return "IC1"
}

// later calls f after AsyncDelay. Calls keep their order, which timers of equal length alone
// would not: each fires on a goroutine of its own. The caller holds s.mu.
func (s *Server) later(f func()) {
	if s.AsyncDelay < 0 {
		f()
		return
	}
	s.pending = append(s.pending, f)
	s.life.After(cmp.Or(s.AsyncDelay, 20*time.Millisecond), func() {
		first := s.pending[0]
		s.pending = s.pending[1:]
		first()
	})
}
