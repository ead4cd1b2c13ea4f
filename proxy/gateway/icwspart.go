package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"

	"portico/cache"
	"portico/proxy/fault"
	"portico/proxy/icws"
	"portico/proxy/upstream"
	"portico/translate"
	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

// readTimeout bounds the reads that make up an agent's state.
const readTimeout = 15 * time.Second

// An icwsPart is an agent at one ICWS site: the upstream session, the state, and the reader that keeps
// it current. Any number of goroutines may use it.
//
// Writes of the agent hold writing, so that they are made one after the other; a new upstream
// session is opened under joining. Who holds writing may take joining, not the reverse.
type icwsPart struct {
	agent     *Agent
	site      *icwsSite
	login     string                 // at the site
	language  string                 // as the first log-in asked for it
	elsewhere []htccapi.MediaChannel // the site's channels that another site owns for the agent
	catalogue *cache.Cell[translate.Catalogue]
	access    *cache.Cell[translate.Access]
	reads     singleflight.Group
	nudge     chan struct{} // tells the reader that a completion will come
	writing   chan struct{} // room for one
	joining   chan struct{} // room for one

	mu        sync.Mutex // guards what follows
	conn      icws.Conn
	state     translate.AgentState
	directory *directory
	view      shown // of state
	begun     bool  // state was read
	lost      bool  // the upstream session of state is gone, and state is to be recovered
	live      bool  // the reader receives
	synced    bool  // what the reader received covers all that happened
	over      bool  // the part has ended
	atLogin   map[string]bool
	writes    map[string]*write // accepted and not completed, by request id
	latest    *write            // the last one accepted
}

// newICWSPart makes the part of a new upstream session; of the zero Conn one is opened when it is
// needed.
func newICWSPart(a *Agent, at *icwsSite, login string, conn icws.Conn) *icwsPart {
	p := &icwsPart{agent: a, site: at, login: login, language: a.session.Language, elsewhere: a.elsewhere(at), conn: conn,
		nudge: make(chan struct{}, 1), writing: make(chan struct{}, 1), joining: make(chan struct{}, 1), writes: map[string]*write{}}
	p.catalogue = cache.NewCell(a.life, cache.CellOptions[translate.Catalogue]{
		Cache: cache.Catalogue, Site: at.Name, StaleIfError: at.StaleIfError, Intern: at.catalogues.Of, Metrics: at.cells,
		Fetch: func(ctx context.Context) (*translate.Catalogue, error) { return at.fetchCatalogue(ctx, p) },
	})
	p.access = cache.NewCell(a.life, cache.CellOptions[translate.Access]{
		Cache: cache.Access, Site: at.Name, StaleIfError: at.StaleIfError, Intern: at.access.Of, Metrics: at.cells,
		Fetch: func(ctx context.Context) (*translate.Access, error) { return at.fetchAccess(ctx, p) },
	})
	return p
}

// hold takes one of the part's two locks, or gives up with ctx.
func hold(ctx context.Context, lock chan struct{}) (func(), error) {
	select {
	case lock <- struct{}{}:
		return func() { <-lock }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("gateway: wait for another call of the agent: %w: %w", fault.Timeout, ctx.Err())
	}
}

func (p *icwsPart) siteName() string { return p.site.Name }

// reused counts a log-in that was not sent.
func (p *icwsPart) reused() {
	p.site.metrics.Login(upstream.LoginReused)
	p.site.metrics.Avoided(icws.OpLogin, upstream.SessionReused)
}

func (p *icwsPart) connection() icws.Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conn
}

// call makes a read on the upstream session, and once more on a new one if that is gone.
func (p *icwsPart) call(ctx context.Context, read func(icws.Conn) error) error {
	conn := p.connection()
	if conn.SessionID != "" {
		err := read(conn)
		if !errors.Is(err, icws.ErrSessionGone) {
			return err
		}
	}
	conn, err := p.rejoin(ctx, conn)
	if err != nil {
		return err
	}
	return read(conn)
}

// ready makes sure that the state was read once and returns what statuses are looked up in.
func (p *icwsPart) ready(ctx context.Context) (*directory, error) {
	p.mu.Lock()
	directory, begun := p.directory, p.begun
	p.mu.Unlock()
	if begun {
		return directory, nil
	}
	err := once(ctx, &p.reads, p.agent.life, "begin", p.begin)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.directory, nil
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
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error {
		return p.call(ctx, func(conn icws.Conn) error {
			var err error
			got.status, err = p.site.ICWS.UserStatus(ctx, conn, conn.UserID)
			return err
		})
	})
	work.Go(func() error {
		var err error
		got.activations, err = p.readActivations(ctx)
		return err
	})
	work.Go(func() error {
		var err error
		got.catalogue, err = p.catalogue.Get(ctx)
		return err
	})
	work.Go(func() error {
		var err error
		got.access, err = p.access.Get(ctx)
		return err
	})
	err := work.Wait()
	if err != nil {
		return reading{}, kinded(err)
	}
	return got, nil
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

// kinded gives a kind to what a cell says of its own accord: that its session has ended, or that
// a fetch took too long.
func kinded(err error) error {
	_, known := errors.AsType[fault.Kind](err)
	switch {
	case known:
		return err
	case errors.Is(err, cache.ErrClosed), errors.Is(err, context.Canceled):
		return fmt.Errorf("%w: %w", fault.Unauthenticated, err)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %w", fault.Timeout, err)
	}
	return err
}

// begin reads the agent's state for the first time.
func (p *icwsPart) begin(ctx context.Context) error {
	got, err := p.read(ctx)
	if err != nil {
		return fmt.Errorf("gateway: read the agent's state: %w", err)
	}
	directory := p.site.directories.of(p.site.Rules, got.catalogue, got.access)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.begun {
		p.site.directories.release(directory)
		return nil
	}
	p.directory = directory
	p.state = translate.Begin(p.conn.UserID, got.status, got.activations, directory.Directory)
	p.state.Station = translate.StationName(p.conn.Station)
	p.state.Elsewhere = p.elsewhere
	p.atLogin = got.activations
	p.begun = true
	p.showLocked()
	p.logUnmapped(got.activations)
	return nil
}

// logUnmapped tells operators of work that reaches the agent past every channel.
func (p *icwsPart) logUnmapped(activations map[string]bool) {
	unmapped := p.site.unmapped(activations)
	if len(unmapped) > 0 {
		p.agent.gateway.log.Info("activated workgroups belong to no channel", "site", p.site.Name,
			"session", p.agent.gateway.ShortName(p.agent), "workgroups", unmapped)
	}
}

// update changes the state. It is the one place where that happens: what is shown follows from it,
// and writes that it completes are told.
func (p *icwsPart) update(change func(translate.AgentState, *translate.Directory) (translate.AgentState, translate.Heard)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.begun {
		return // begin will read it all
	}
	next, heard := change(p.state, p.directory.Directory)
	p.state = next
	p.showLocked()
	p.finishLocked(heard)
}

func (p *icwsPart) showLocked() {
	p.view = resources(p.site.Rules.View(p.state, p.directory.Directory))
}

// setLink notes whether the site and the upstream session are there.
func (p *icwsPart) setLink(link translate.Link) {
	p.update(func(s translate.AgentState, _ *translate.Directory) (translate.AgentState, translate.Heard) {
		s.Link = link
		return s, translate.Heard{}
	})
}

// close ends the part with its session: the upstream session is closed and what is kept is dropped.
func (p *icwsPart) close() {
	p.catalogue.Drop()
	p.access.Drop()
	logOut(context.Background(), p.site, p.connection())
	p.mu.Lock()
	directory := p.directory
	p.mu.Unlock()
	p.site.directories.release(directory)
}
