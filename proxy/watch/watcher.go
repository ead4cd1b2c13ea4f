package watch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"portico/proxy/catalogues"
	"portico/proxy/fault"
	"portico/proxy/icws"
	"portico/proxy/upstream"
	"portico/translate/icwsapi"
)

// A watcher keeps one upstream session of a service: it proves the catalogue in the session's language,
// and the first receives what is about agents too.
type watcher struct {
	service  *Service
	language string
	first    bool
	feed     *catalogues.Feed
	member   *catalogues.Member

	silent upstream.Absence

	mu   sync.Mutex
	live bool        // messages flow; guarded by mu
	anew func(error) // makes it receive anew; guarded by mu
}

// newWatcher returns the watcher of a language, which starts nothing. Its catalogue is held until life
// ends.
func newWatcher(life context.Context, s *Service, language string) *watcher {
	w := &watcher{service: s, language: language, first: language == s.site.Language}
	cell := catalogues.NewGivenCell(life, s.site.Name, s.site.Intern)
	w.member = &catalogues.Member{Cell: cell, Changed: func() {}, Renew: w.renew}
	w.feed = catalogues.NewFeed(s.site.Maker, cell, func() { s.site.Groups.Prove(w.member) })
	return w
}

// run logs in, and receives, again and again until ctx ends. A refused password is not sent again for
// as long as one of an agent is not.
func (w *watcher) run(ctx context.Context) error {
	breaks := 0
	for {
		began := time.Now()
		err := w.serve(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Since(began) > upstream.LongestPause {
			breaks = 0
		}
		w.warn("the site's agents are not watched", err)
		breaks++
		if errors.Is(err, errServiceRefused) {
			err = upstream.Sleep(ctx, w.service.site.RefusedFor)
		} else {
			err = w.silent.Sleep(ctx, upstream.Pause(breaks))
		}
		if err != nil {
			return err
		}
	}
}

var (
	errServiceRefused = errors.New("the site refuses the service user")

	// errAnew ends a reception in favour of another, which begins at once.
	errAnew = errors.New("receive anew")

	// errUnread ends a reception in which a message could not be read.
	errUnread = errors.New("a message could not be read")

	// errMove ends a reception whose host gives no answer, so that another host is asked.
	errMove = errors.New("the host of the session gives no answer")
)

// serve keeps one upstream session to its end.
func (w *watcher) serve(ctx context.Context) error {
	site, user := w.service.site, w.service.site.User
	// Not as a reader's log-in, which would wait for its turn behind those of all agents that it is for.
	conn, err := site.ICWS.Login(ctx, icws.Credentials{UserID: user.UserID, Password: user.Password, Language: w.language})
	if errors.Is(err, fault.Unauthenticated) {
		return fmt.Errorf("%w: %w", errServiceRefused, err)
	}
	if err != nil {
		return err
	}
	defer site.ICWS.LetGo(ctx, conn)
	site.Groups.Join(w.member, catalogues.Place{Base: conn.Base, Language: conn.Language})
	defer site.Groups.Leave(w.member)
	if w.first {
		w.service.began(conn)
	}
	for breaks := 0; ; {
		began := time.Now()
		err = w.listen(ctx, conn)
		switch {
		case errors.Is(err, errAnew):
		case errors.Is(err, errUnread): // the snapshot may bring the same again
			if time.Since(began) > upstream.LongestPause {
				breaks = 0
			}
			breaks++
			err = upstream.Sleep(ctx, upstream.Pause(breaks))
			if err != nil {
				return err
			}
		default:
			return err
		}
	}
}

// listen receives until the upstream session is gone, or until reception is to begin anew.
func (w *watcher) listen(ctx context.Context, conn icws.Conn) error {
	ctx, anew := context.WithCancelCause(ctx)
	w.mu.Lock()
	w.anew = anew
	w.mu.Unlock()
	var following sync.WaitGroup
	defer following.Wait()
	defer anew(nil)
	if w.first {
		following.Go(func() { w.service.roster.follow(ctx, conn) })
	}
	err := w.service.site.ICWS.Receive(ctx, conn, icws.Receiver{
		Subscribe: func(ctx context.Context) error { return w.subscribe(ctx, conn) },
		Message:   w.receive,
		Live:      w.setLive,
		Polls:     w.member.Polls.Store,
		Problem:   w.problem,
		Pause:     w.silent.Sleep,
		Alive:     w.beat,
	})
	cause := context.Cause(ctx)
	if errors.Is(cause, errAnew) || errors.Is(cause, errUnread) || errors.Is(cause, errMove) {
		return cause
	}
	return err
}

// subscribe puts the subscription for the catalogue, and those of all agents.
func (w *watcher) subscribe(ctx context.Context, conn icws.Conn) error {
	err := w.service.site.ICWS.SubscribeStatusMessages(ctx, conn)
	if err != nil || !w.first {
		return err
	}
	return w.service.roster.subscribeAll(ctx, conn)
}

func (w *watcher) receive(message icwsapi.Message) {
	list, ok := message.(icwsapi.StatusMessagesMessage)
	if ok {
		w.feed.Take(list)
		return
	}
	w.feed.Arrived()
	if w.first {
		w.service.roster.receive(message)
	}
}

func (w *watcher) beat() {
	if w.first {
		w.service.pulse.Note()
	}
}

// setLive notes whether messages flow. When they stop, nobody knows what the site holds.
func (w *watcher) setLive(live bool) {
	w.mu.Lock()
	w.live = live
	w.mu.Unlock()
	if w.first {
		w.service.setLive(live)
	}
	if live {
		w.silent.Note(nil)
		return
	}
	w.feed.Reset()
	w.member.Cell.Unproven()
	w.service.site.Groups.Doubt(w.member)
	if w.first {
		w.service.roster.broken()
	}
}

// problem takes what went wrong with reception. While messages flow it is one of them that could not
// be read, and what it told is missing until there are new subscriptions.
func (w *watcher) problem(err error) {
	w.mu.Lock()
	live, anew := w.live, w.anew
	w.mu.Unlock()
	w.warn("the reader of a site's agents broke", err)
	if live {
		anew(errUnread)
	}
	w.silent.Note(err)
	if w.silent.IsLong() && len(w.service.site.ICWS.Hosts()) > 1 {
		anew(errMove)
	}
}

// proofEvery is how often it is looked whether a catalogue has come that was asked for anew.
const proofEvery = 20 * time.Millisecond

// renew has the site tell the catalogue anew, by a new subscription, and waits for it.
func (w *watcher) renew(ctx context.Context) error {
	w.mu.Lock()
	live, anew := w.live, w.anew
	w.mu.Unlock()
	if !live {
		return fmt.Errorf("watch: the service of site %q receives nothing: %w", w.service.site.Name, fault.Unreachable)
	}
	w.member.Cell.Unproven()
	anew(errAnew)
	for {
		held, _ := w.member.Cell.Snapshot()
		if !held.Stale() {
			return nil
		}
		err := upstream.Sleep(ctx, proofEvery)
		if err != nil {
			return fmt.Errorf("watch: read the catalogue anew: %w: %w", fault.Timeout, err)
		}
	}
}

func (w *watcher) warn(text string, err error) {
	w.service.site.Log.Warn(text, "site", w.service.site.Name, "language", w.language, "cause", err.Error())
}
