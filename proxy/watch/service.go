package watch

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"portico/proxy/catalogues"
	"portico/proxy/clock"
	"portico/proxy/icws"
	"portico/translate"
	"portico/translate/icwsapi"
)

// A User is a user of an ICWS site who is no agent and may see all of them. Of the zero User there is none.
type User struct{ UserID, Password string }

// A Site is what a Service is at.
type Site struct {
	Name        string
	ICWS        *icws.Client
	User        User
	Language    string        // of the upstream session that receives what is about the agents
	Activations bool          // which workgroups an agent has activated is of use
	RefusedFor  time.Duration // how long a refused password is not sent again

	// The catalogues of all who are at the site, which the service proves.
	Groups *catalogues.Groups
	Maker  *catalogues.Maker
	Intern func(*translate.Catalogue) *translate.Catalogue

	Receives prometheus.Gauge // 1 while what is about the agents is received
	Log      *slog.Logger
}

// An Agent is who a Service receives for. The Service calls it from one goroutine at a time, but for SetLive. It is
// comparable, and equal to itself alone.
type Agent interface {
	// SetLive is told whether messages about the agent come. When they stop, what is known may be old.
	SetLive(live bool)

	// Receive takes what a message says of the agent, as if it were about nobody else.
	Receive(message icwsapi.Message)
}

// A Service receives what all agents of a site are to be told by the upstream sessions of one user of
// the site: one for each language that agents need, since a session's texts are in one, of which the
// first receives what is about the agents too. The agents' own sessions are for writing. Any number of
// goroutines may use it. The nil Service watches nobody: Answers, IsReceiving, Vouches, Life and LivedSince may be asked of it.
//
// Source: ICWS reference, user-statuses subscription (userIds).
type Service struct {
	site   Site
	roster *roster

	mu        sync.Mutex
	languages map[string]bool // that agents need; guarded by mu
	watchers  []*watcher      // one for each of them; guarded by mu
	news      chan struct{}   // has room for one: languages has grown

	conn     icws.Conn     // of the first watcher; guarded by mu
	lives    int           // how many upstream sessions it has had; guarded by mu
	renewed  chan struct{} // closed when it has another; guarded by mu
	unbroken time.Time     // since when its reader receives, zero while it does not; guarded by mu

	pulse clock.Instant // of what receives what is about the agents
}

// New returns a Service, which does nothing before Run.
func New(at Site) *Service {
	return &Service{site: at, roster: newRoster(at),
		languages: map[string]bool{at.Language: true}, news: make(chan struct{}, 1), renewed: make(chan struct{})}
}

// Add has the service watch an agent, whose catalogue is in a language, until the returned function is called.
func (s *Service) Add(agent Agent, userID, language string) (leave func()) {
	s.need(language)
	s.roster.add(agent, userID)
	return func() { s.roster.remove(agent, userID) }
}

// need has the catalogue kept current in a language too.
func (s *Service) need(language string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.languages[language] {
		return
	}
	s.languages[language] = true
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// Run keeps the sessions until ctx ends, whose error it returns.
func (s *Service) Run(ctx context.Context) error {
	work, ctx := errgroup.WithContext(ctx)
	running := map[string]bool{}
	for {
		for _, language := range s.wanted() {
			if running[language] {
				continue
			}
			running[language] = true
			watcher := newWatcher(ctx, s, language)
			s.mu.Lock()
			s.watchers = append(s.watchers, watcher)
			s.mu.Unlock()
			work.Go(func() error { return watcher.run(ctx) })
		}
		select {
		case <-s.news:
		case <-ctx.Done():
			return work.Wait()
		}
	}
}

func (s *Service) wanted() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for language := range s.languages {
		list = append(list, language)
	}
	return list
}

// began notes a new upstream session of the first watcher.
func (s *Service) began(conn icws.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn = conn
	s.lives++
	close(s.renewed)
	s.renewed = make(chan struct{})
}

// setLive notes whether the first watcher receives.
func (s *Service) setLive(live bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unbroken = time.Time{}
	s.site.Receives.Set(0)
	if live {
		s.unbroken = time.Now()
		s.site.Receives.Set(1)
	}
}

// Answers notes that the site has answered an agent's call. If the service waits for the site to come back, it looks now.
func (s *Service) Answers() {
	if s == nil || s.IsReceiving() {
		return
	}
	s.mu.Lock()
	watchers := slices.Clone(s.watchers)
	s.mu.Unlock()
	for _, w := range watchers {
		w.silent.Hasten()
	}
}

// IsReceiving reports whether what is about the agents is received.
func (s *Service) IsReceiving() bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.unbroken.IsZero()
}

// Vouches reports whether the site has shown within a time that it is there, on a stream that has not broken since it
// was asked last.
func (s *Service) Vouches(asked time.Time, within time.Duration) bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	unbroken := s.unbroken
	s.mu.Unlock()
	return !unbroken.IsZero() && unbroken.Before(asked) && s.pulse.Since(time.Time{}) < within
}

// Pulse returns when the site showed last, of itself, that nothing has changed but what it told.
func (s *Service) Pulse() *clock.Instant { return &s.pulse }

// Life returns the number of the upstream session that the agents are watched by, 0 before the first,
// and what is closed when there is another.
func (s *Service) Life() (int, <-chan struct{}) {
	if s == nil {
		return 0, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lives, s.renewed
}

// LivedSince reports whether the upstream session that the agents are watched by is still the one of
// that number, as the site says when it is asked. An agent's own session that is gone then was lost
// alone, and the agent was never offline.
func (s *Service) LivedSince(ctx context.Context, life int) bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	conn, same := s.conn, s.lives == life && life > 0
	s.mu.Unlock()
	if !same {
		return false
	}
	state, err := s.site.ICWS.ConnectionState(ctx, conn)
	return err == nil && state.ConnectionState == icwsapi.ConnectionUp
}
