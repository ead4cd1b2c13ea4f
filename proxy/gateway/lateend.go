package gateway

import (
	"context"
	"errors"
	"time"

	"portico/proxy/fault"
	"portico/proxy/guesses"
	"portico/proxy/session"
	"portico/proxy/upstream"
)

// A site may be away when an agent ends their session. They are not kept logged in for that, so what could not be done
// there is done later, with what is kept of the upstream session. A site that comes back would offer them work else: neither
// a contact centre session at HTCC nor a status at PureConnect ends because nobody asks for it any more.

const (
	// endPatience is how long the end of a session is tried again while its caller waits.
	endPatience = 2 * time.Second

	// lateFor is how long it is tried again in the background.
	lateFor = 15 * time.Minute

	// takeOutTimeout bounds one such try: a log-in at another replica waits for it.
	takeOutTimeout = 10 * time.Second

	// closeOutTimeout bounds one try to close a session that nobody waits for.
	closeOutTimeout = 5 * time.Second
)

// patiently does what may be done twice, and does it again while the site is away: one answer that fails, or is lost, is
// no outage. A host that is known to fail is not waited for.
func patiently(ctx context.Context, do func() error) error {
	began := time.Now()
	err := do()
	for tries := 0; upstream.IsAway(err) && !upstream.IsWithheld(err) && time.Since(began) < endPatience; tries++ {
		if upstream.Sleep(ctx, upstream.Pause(tries)) != nil {
			return err
		}
		err = do()
	}
	return err
}

// A lateEnd is what is left to be done at a site for an agent whose session has ended. All of it may be done twice.
type lateEnd struct {
	account  guesses.Account
	takeOut  func(context.Context) error // of work, which harms who has logged in since; nil if there is nothing to do, or no way
	cause    error                       // why that was not done yet; nil if it was
	closeOut func(context.Context) error // the upstream session; nil if there is nothing to close
}

func (l lateEnd) isNothing() bool { return l.cause == nil && l.closeOut == nil }

// endLate does what is left to be done at a site, and returns when that is done, or is not tried any more.
func (a *Agent) endLate(l lateEnd) {
	defer a.caught()
	switch {
	case l.takeOut != nil:
		a.takeOutLate(l)
	case l.cause != nil:
		a.warn(l.account.Site, textMayWork, l.cause)
	}
	if l.closeOut != nil {
		a.closeOut(l)
	}
}

// takeOutLate takes the agent out of work at a site that was away when they asked for that.
func (a *Agent) takeOutLate(l lateEnd) {
	log := a.gateway.log.With("site", l.account.Site, "session", a.short)
	log.Warn("an agent who ended the session is still to be taken out of work, as the site gives no answer", "cause", l.cause.Error())
	late := a.gateway.lateEnds.add(l.account)
	defer a.gateway.lateEnds.take(late)
	err := a.gateway.tryOn(late.life, func() error { return a.takeOutNow(late, l.takeOut) })
	switch {
	case late.life.Err() != nil, errors.Is(err, errBack):
		log.Info("an agent who ended the session is not taken out of work any more, having logged in again")
	case err != nil: // also as the upstream session is gone by now
		log.Warn(textMayWork, "cause", err.Error())
	default:
		log.Info("an agent who ended the session was taken out of work")
	}
}

const textMayWork = "an agent who ended the session may still be at work"

var (
	errBack   = errors.New("gateway: the agent has logged in again")
	errNotNow = fault.New(fault.Overloaded, "a log-in of the same account is under way")
)

// takeOutNow makes one try, while nobody logs in under the name, unless another session of it lives.
func (a *Agent) takeOutNow(late *takingOut, takeOut func(context.Context) error) error {
	ctx, over := a.gateway.lateEnds.begin(late)
	if ctx == nil {
		return errNotNow
	}
	defer over()
	endTurn, err := a.gateway.turn(ctx, a.Login())
	if err != nil {
		return err
	}
	defer endTurn()
	s, err := a.gateway.store.ByLogin(ctx, a.Login())
	switch {
	case err == nil && s.ID != a.session.ID:
		return errBack
	case err != nil && !errors.Is(err, session.ErrNotFound):
		return storeDown(err)
	}
	return takeOut(ctx)
}

// closeOut closes the upstream session.
func (a *Agent) closeOut(l lateEnd) {
	try := func() error {
		ctx, cancel := context.WithTimeout(upstream.WithCause(context.Background(), upstream.Session), closeOutTimeout)
		defer cancel()
		return l.closeOut(ctx)
	}
	err := try()
	if !isToTryOn(err) || a.gateway.life.Err() != nil {
		return
	}
	a.warn(l.account.Site, "an upstream session is still to be closed", err)
	err = a.gateway.tryOn(context.Background(), try)
	if err != nil && !errors.Is(err, fault.Unauthenticated) {
		a.warn(l.account.Site, "an upstream session was not closed", err)
		return
	}
	a.gateway.log.Info("an upstream session is closed at last", "site", l.account.Site, "session", a.short)
}

// tryOn tries with pauses until the site has answered, ctx ends or lateFor is over, and returns how the last try ended.
// When Portico stops it tries once more.
func (g *Gateway) tryOn(ctx context.Context, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, lateFor)
	defer cancel()
	waiting, wake := context.WithCancel(ctx)
	defer wake()
	defer context.AfterFunc(g.life, wake)()
	var err error
	for tries := 0; ; tries++ {
		stopping := upstream.Sleep(waiting, upstream.Pause(tries)) != nil
		if ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		err = try()
		if stopping || !isToTryOn(err) {
			return err
		}
	}
}

// isToTryOn reports whether a try left it open whether what it is for is done: it was broken off, or the site gave no
// answer, or one that it may give while it starts.
func isToTryOn(err error) bool {
	switch fault.KindOf(err) {
	case fault.Unreachable, fault.Timeout, fault.Overloaded, fault.BadUpstream:
		return true
	}
	return errors.Is(err, context.Canceled)
}
