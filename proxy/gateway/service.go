package gateway

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"portico/proxy/icws"
	"portico/translate/icwsapi"
)

// A ServiceUser is a user of an ICWS site who is no agent and may see all of them.
type ServiceUser struct{ UserID, Password string }

// A service receives what all agents of a site are to be told by the upstream sessions of one user of
// the site: one for each language that agents need, since a session's texts are in one, of which the
// first receives what is about the agents too. The agents' own sessions are for writing. Any number of
// goroutines may use it.
//
// Source: icws.md, two topologies; ICWS reference, user-statuses subscription (userIds).
type service struct {
	site     *icwsSite
	user     ServiceUser
	receives prometheus.Gauge
	log      *slog.Logger
	roster   *roster

	mu        sync.Mutex
	languages map[string]bool // that agents need; guarded by mu
	news      chan struct{}   // has room for one: languages has grown

	conn     icws.Conn     // of the first watcher; guarded by mu
	lives    int           // how many upstream sessions it has had; guarded by mu
	renewed  chan struct{} // closed when it has another; guarded by mu
	unbroken time.Time     // since when its reader receives, zero while it does not; guarded by mu

	pulse      pulse       // of what receives what is about the agents
	mute       atomic.Bool // the site knows no heartbeat
	streamless atomic.Bool // no streams come through from the site
}

func newService(at *icwsSite, watching prometheus.Gauge, log *slog.Logger) *service {
	return &service{site: at, user: at.Service, receives: watching, log: log, roster: newRoster(at, log),
		languages: map[string]bool{at.Language: true}, news: make(chan struct{}, 1), renewed: make(chan struct{})}
}

// need has the catalogue kept current in a language too.
func (s *service) need(language string) {
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

// run keeps the sessions until ctx ends.
func (s *service) run(ctx context.Context) error {
	work, ctx := errgroup.WithContext(ctx)
	running := map[string]bool{}
	for {
		for _, language := range s.wanted() {
			if running[language] {
				continue
			}
			running[language] = true
			watcher := newWatcher(ctx, s, language)
			work.Go(func() error { return watcher.run(ctx) })
		}
		select {
		case <-s.news:
		case <-ctx.Done():
			return work.Wait()
		}
	}
}

func (s *service) wanted() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for language := range s.languages {
		list = append(list, language)
	}
	return list
}

// began notes a new upstream session of the first watcher.
func (s *service) began(conn icws.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn = conn
	s.lives++
	close(s.renewed)
	s.renewed = make(chan struct{})
}

// setLive notes whether the first watcher receives.
func (s *service) setLive(live bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unbroken = time.Time{}
	s.receives.Set(0)
	if live {
		s.unbroken = time.Now()
		s.receives.Set(1)
	}
}

// vouches reports whether the site has shown a moment ago that it is there, by the reader of the first
// watcher, who has received without a break since it was asked last. The nil service does not.
func (s *service) vouches(asked time.Time) bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	unbroken := s.unbroken
	s.mu.Unlock()
	return !unbroken.IsZero() && unbroken.Before(asked) && s.pulse.since(time.Time{}) < probeEvery
}

// life returns the number of the upstream session that the agents are watched by, 0 before the first,
// and what is closed when there is another. The nil service has none.
func (s *service) life() (int, <-chan struct{}) {
	if s == nil {
		return 0, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lives, s.renewed
}

// livedSince reports whether the upstream session that the agents are watched by is still the one of
// that number, as the site says when it is asked. An agent's own session that is gone then was lost
// alone, and the agent was never offline.
func (s *service) livedSince(ctx context.Context, life int) bool {
	s.mu.Lock()
	conn, same := s.conn, s.lives == life && life > 0
	s.mu.Unlock()
	if !same {
		return false
	}
	state, err := s.site.ICWS.ConnectionState(ctx, conn)
	return err == nil && state.ConnectionState == icwsapi.ConnectionUp
}

// holdsStream reports whether an agent's own session is kept alive by a stream, on which the site says
// what it has to say of that session.
func (s *service) holdsStream(conn *icws.Conn) bool {
	return !s.site.Heartbeats && !s.streamless.Load() && conn.Streams()
}

// sleep waits, or returns ctx's error.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
