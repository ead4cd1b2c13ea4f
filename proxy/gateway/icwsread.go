package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"portico/cache"
	"portico/proxy/fault"
	"portico/proxy/icws"
	"portico/proxy/upstream"
	"portico/translate"
	"portico/translate/icwsapi"
)

// readTimeout bounds the reads that make up an agent's state.
const readTimeout = 15 * time.Second

// refreshForPlan reads the state if nothing tells of changes: other clients may have activated workgroups,
// whose work a plan must not offer to an agent who did not ask for it.
func (p *icwsPart) refreshForPlan(ctx context.Context) error {
	p.mu.Lock()
	fresh := p.knownLocked() || p.freshLocked()
	p.mu.Unlock()
	if fresh {
		return nil
	}
	return p.refresh(ctx)
}

// refresh reads the state while nothing is pushed. A site that cannot be reached takes its channels
// out of view, and is back with the next read or message.
func (p *icwsPart) refresh(ctx context.Context) error {
	err := p.afresh.do(ctx, p.agent.life, p.readAgain)
	if errors.Is(err, fault.Unreachable) {
		p.outOfReach()
		p.agent.vanished(p)
		return nil
	}
	if err != nil {
		return fmt.Errorf("gateway: refresh the agent's state: %w", err)
	}
	return nil
}

func (p *icwsPart) readAgain(ctx context.Context) error {
	began := p.moment()
	got, err := p.read(ctx)
	if err != nil {
		return err
	}
	p.redirect()
	counts := false
	p.update(func(s translate.AgentState, d *translate.Directory) (translate.AgentState, translate.Heard) {
		p.asRead = nil
		if p.held.holding && !p.link.lost { // what was read may be half of a plan that is being carried out
			return s, translate.Heard{}
		}
		if !p.link.lost {
			s.Link = translate.Connected
		}
		p.readAt, p.readFrom = time.Now(), began
		if p.readAt.Before(p.behindUntil) {
			p.asRead = new(p.ofRead(got, s, d))
		}
		counts = !p.moments.isOld(began)
		if counts {
			s.Activations = got.activations
		}
		s, heard := p.site.Rules.HeardStatus(s, p.asOfLocked(began, got.status), d)
		return p.sureLocked(s, got, began), heard
	})
	if counts {
		p.decideLeft(began)
	}
	return nil
}

// sureLocked has do-not-disturb hide nothing where a read has shown that it is not on, and began when all was known that was
// asked for elsewhere.
func (p *icwsPart) sureLocked(s translate.AgentState, got reading, began moment) translate.AgentState {
	if p.moments.knows(began) && !p.directory.IsDND(got.status.StatusID) {
		return s.Sure()
	}
	return s
}

// ofRead returns what a read shows whatever messages say. Who reads after a write at another replica is to see it,
// and a message that comes meanwhile may have been on its way since before the write.
func (p *icwsPart) ofRead(got reading, s translate.AgentState, d *translate.Directory) shown {
	s.Activations = got.activations
	s, _ = p.site.Rules.HeardStatus(s, got.status, d)
	return resources(p.site.Rules.View(s, d))
}

// outOfReach takes the site's channels out of view, unless messages show that it is there after all.
func (p *icwsPart) outOfReach() {
	p.update(func(s translate.AgentState, _ *translate.Directory) (translate.AgentState, translate.Heard) {
		p.asRead = nil
		if !p.currentLocked() {
			s.Link = translate.Unreachable
		}
		return s, translate.Heard{}
	})
}

// call makes a read on the upstream session, and once more on a new one if that is gone, or if its host
// has given no answer for long and another takes a session.
func (p *icwsPart) call(ctx context.Context, read func(icws.Conn) error) error {
	conn, usable := p.usable()
	if usable {
		err := read(conn)
		p.called(conn, err)
		if p.shouldMove() && p.move(ctx, conn) == nil {
			return notAgain(read(p.connection()))
		}
		if !errors.Is(err, icws.ErrSessionGone) {
			return err
		}
	}
	conn, err := p.rejoin(ctx, conn)
	if err != nil {
		return err
	}
	return notAgain(read(conn))
}

// notAgain gives another kind to a new upstream session that is gone at once: there is something
// wrong with the site, while the agent is still logged in here.
func notAgain(err error) error {
	if !errors.Is(err, icws.ErrSessionGone) {
		return err
	}
	return fmt.Errorf("%w: a new session is gone at once: %v", fault.BadUpstream, err)
}

// once runs one read for all who ask for it together. It goes on when one of them leaves.
func (p *icwsPart) once(ctx context.Context, name string, read func(context.Context) error) error {
	_, err := once(ctx, &p.agent.gateway.reads, p.agent.life, readOf(p, name), func(ctx context.Context) (struct{}, error) { return struct{}{}, read(ctx) })
	return err
}

// reading is what makes up an agent's state at a site.
type reading struct {
	status      icwsapi.UserStatus
	activations map[string]bool
	catalogue   *translate.Catalogue
	access      *translate.Access
}

// read asks the site for the agent's state, and for catalogue and access list if they are not held.
func (p *icwsPart) read(ctx context.Context) (reading, error) {
	var got reading
	work := newReads(ctx)
	get(work, &got.status, p.readStatus)
	get(work, &got.activations, p.readActivations)
	get(work, &got.catalogue, p.lists.getCatalogue)
	get(work, &got.access, p.lists.access.Get)
	err := work.wait()
	if err != nil {
		return reading{}, p.kinded(err)
	}
	return got, nil
}

// reads are made side by side, and all needed. One that fails ends the others, unless it was not sent as the host had
// failed too often: another may be what tries whether the host is back, which would not be found out else.
type reads struct {
	group    *errgroup.Group
	ctx      context.Context
	withheld atomic.Pointer[error]
}

func newReads(ctx context.Context) *reads {
	group, ctx := errgroup.WithContext(ctx)
	return &reads{group: group, ctx: ctx}
}

// get adds a read. A panic of one is its error.
func get[T any](r *reads, into *T, read func(context.Context) (T, error)) {
	r.group.Go(func() error {
		got, err := fault.Guarded(func() (T, error) { return read(r.ctx) })
		*into = got
		if upstream.IsWithheld(err) {
			r.withheld.Store(&err)
			return nil
		}
		return err
	})
}

// wait returns the error of a read, nil if all succeeded.
func (r *reads) wait() error {
	err := r.group.Wait()
	withheld := r.withheld.Load()
	if err == nil && withheld != nil {
		return *withheld
	}
	return err
}

func (p *icwsPart) readStatus(ctx context.Context) (icwsapi.UserStatus, error) {
	var status icwsapi.UserStatus
	err := p.call(ctx, func(conn icws.Conn) error {
		var err error
		status, err = p.site.ICWS.UserStatus(ctx, conn, conn.UserID)
		return err
	})
	return status, err
}

// readActivations asks for the agent's activations. A site without workgroups in the settings does
// not need them, and one that has none to give leaves the agent without channels that need them.
func (p *icwsPart) readActivations(ctx context.Context) (map[string]bool, error) {
	if !p.site.needsActivations() {
		return nil, nil
	}
	var activations map[string]bool
	err := p.call(ctx, func(conn icws.Conn) error {
		var err error
		activations, err = p.site.ICWS.Activations(ctx, conn, conn.UserID)
		return err
	})
	if errors.Is(err, fault.NotFound) || errors.Is(err, fault.Gone) {
		p.warn("the site gives no activations: channels with workgroups are not shown", err)
		return nil, nil
	}
	return activations, err
}

// kinded gives a kind to what a cell says of its own accord: that its session has ended, that a fetch
// took too long, or that the caller has left.
func (p *icwsPart) kinded(err error) error {
	_, known := errors.AsType[fault.Kind](err)
	switch {
	case known:
		return err
	case errors.Is(err, cache.ErrClosed), p.agent.life.Err() != nil:
		return fmt.Errorf("%w: %w", fault.Unauthenticated, err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return fmt.Errorf("%w: %w", fault.Timeout, err)
	}
	return err
}
