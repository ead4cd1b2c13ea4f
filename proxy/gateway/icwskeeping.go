package gateway

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"portico/proxy/icws"
)

// A keeping keeps an upstream session alive that nobody reads, and learns that it is gone, in pieces as a Reception
// does. It looks at once when the service has another session: the same may have happened to both.
type keeping struct {
	part *icwsPart
	ctx  context.Context

	// Of the wait.
	life    int             // of the service
	renewed <-chan struct{} // closed when it has another
	next    *time.Timer     // when the session is looked at; nil before the first wait
	due     bool            // now
}

// Work looks at the session if it is due.
func (k *keeping) Work() (bool, error) {
	if k.ctx.Err() != nil {
		return false, k.ctx.Err()
	}
	if k.due {
		over, err := k.look()
		if over {
			return false, err
		}
	}
	k.due = false
	wait := k.part.site.KeepAlive - rand.N(k.part.site.KeepAlive/4)
	k.life, k.renewed = k.part.site.service.Life()
	if k.part.verifiedAt() != k.life {
		wait = rand.N(renewedWithin)
	}
	if k.next != nil {
		k.next.Stop()
	}
	k.next = time.NewTimer(wait)
	return true, nil
}

// Wait waits until there is something to do.
func (k *keeping) Wait() {
	select {
	case <-k.ctx.Done():
	case <-k.renewed:
	case <-k.next.C:
		k.due = true
	}
}

// look tells the site that the session is alive, and reports whether it is to be kept so no more.
func (k *keeping) look() (bool, error) {
	p := k.part
	conn := p.connection()
	err := p.beat(k.ctx, conn)
	p.called(conn, err)
	switch {
	case errors.Is(err, icws.ErrSessionGone):
		return true, err
	case p.shouldMove():
		return true, p.move(k.ctx, conn)
	case err == nil:
		p.verify(k.life)
	}
	return false, nil
}

// renewedWithin is the time over which the agents' sessions are looked at when the service has another.
const renewedWithin = 5 * time.Second
