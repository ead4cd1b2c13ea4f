package gateway

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"portico/proxy/catalogues"
	"portico/proxy/fault"
	"portico/proxy/icws"
	"portico/translate/icwsapi"
)

// A watcher keeps one upstream session of a service: it proves the catalogue in the session's language,
// and the first receives what is about agents too.
type watcher struct {
	service  *service
	language string
	first    bool
	feed     *catalogues.Feed
	member   *catalogues.Member

	silent absence

	mu   sync.Mutex
	live bool        // messages flow; guarded by mu
	anew func(error) // makes it receive anew; guarded by mu
}

// newWatcher returns the watcher of a language, which starts nothing. Its catalogue is held until life
// ends.
func newWatcher(life context.Context, s *service, language string) *watcher {
	w := &watcher{service: s, language: language, first: language == s.site.Language}
	cell := catalogues.NewGivenCell(life, s.site.Name, s.site.interned.Of)
	w.member = &catalogues.Member{Cell: cell, Changed: func() {}, Renew: w.renew}
	w.feed = catalogues.NewFeed(s.site.maker, cell, func() { s.site.groups.Prove(w.member) })
	return w
}

// run logs in, and receives, again and again until ctx ends. A refused password is not sent again for
// as long as one of an agent is not.
func (w *watcher) run(ctx context.Context) error {
	pause := firstPause
	for {
		began := time.Now()
		err := w.serve(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Since(began) > longPause {
			pause = firstPause
		}
		w.warn("the site's agents are not watched", err)
		wait := pause/2 + rand.N(pause/2)
		if errors.Is(err, errServiceRefused) {
			wait = refusedFor
		}
		err = sleep(ctx, wait)
		if err != nil {
			return err
		}
		pause = min(2*pause, longPause)
	}
}

var errServiceRefused = errors.New("the site refuses the service user")

// serve keeps one upstream session to its end.
func (w *watcher) serve(ctx context.Context) error {
	site, user := w.service.site, w.service.user
	// Not as a reader's log-in, which would wait for its turn behind those of all agents that it is for.
	conn, err := site.ICWS.Login(ctx, icws.Credentials{UserID: user.UserID, Password: user.Password, Language: w.language})
	if errors.Is(err, fault.Unauthenticated) {
		return fmt.Errorf("%w: %w", errServiceRefused, err)
	}
	if err != nil {
		return err
	}
	defer logOut(ctx, site, conn)
	site.groups.Join(w.member, placeOf(conn))
	defer site.groups.Leave(w.member)
	if w.first {
		w.service.began(conn)
	}
	for {
		err = w.listen(ctx, conn)
		if !errors.Is(err, errAnew) {
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
		Alive:     w.beat,
	})
	cause := context.Cause(ctx)
	if errors.Is(cause, errAnew) || errors.Is(cause, errMove) {
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
		w.service.pulse.beat()
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
		w.silent.note(nil)
		return
	}
	w.feed.Reset()
	w.member.Cell.Unproven()
	w.service.site.groups.Doubt(w.member)
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
		anew(errAnew)
	}
	w.silent.note(err)
	if w.silent.isLong() && len(w.service.site.ICWS.Hosts()) > 1 {
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
		return fmt.Errorf("gateway: the service of site %q receives nothing: %w", w.service.site.Name, fault.Unreachable)
	}
	w.member.Cell.Unproven()
	anew(errAnew)
	for {
		held, _ := w.member.Cell.Snapshot()
		if !held.Stale() {
			return nil
		}
		err := sleep(ctx, proofEvery)
		if err != nil {
			return fmt.Errorf("gateway: read the catalogue anew: %w: %w", fault.Timeout, err)
		}
	}
}

func (w *watcher) warn(text string, err error) {
	w.service.log.Warn(text, "site", w.service.site.Name, "language", w.language, "cause", err.Error())
}
