package gateway

import (
	"context"
	"fmt"
	"sync"
	"time"

	"portico/proxy/catalogues"
	"portico/proxy/clock"
	"portico/proxy/icws"
	"portico/proxy/upstream"
	"portico/translate"
	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

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
	late      bool                   // the site was not there when the agent logged in

	lists icwsLists

	writing chan struct{} // room for one
	joining joining
	afresh  afresh        // reads of the state
	nudge   chan struct{} // tells the reader that a completion will come
	revived slot          // tells the reader of a part which had ended that it has not any more
	alive   clock.Instant // of the part's own reader
	silent  upstream.Absence
	amends  amends

	mu sync.Mutex // guards what follows

	link icwsLink

	// The state, and what is shown of it.

	begun     bool // state was read
	state     translate.AgentState
	directory *catalogues.Directory
	moments   moments         // what state is as new as
	readAt    time.Time       // when the whole state was read last
	readFrom  moment          // in which that read began
	atLogin   map[string]bool // activations
	view      *translate.View // of state; nil until somebody asks
	shows     *shown          // the same as resources; nil until somebody asks
	who       any             // the htccapi.User that conn is of; nil until somebody asks

	// What is received.

	anew        func(error) // makes the reader receive anew; nil before it did once
	live        bool        // the reader receives
	everCurrent bool        // the part has been current since its upstream session was opened
	full        fullLists   // what the reader received since it does

	// What the agent does.

	writes    openWrites
	held      heldMessages           // while a plan is carried out
	activated time.Time              // when activations were set by us last
	owed      []htccapi.MediaChannel // of a Start that is not carried out here, and is to be made up for; nil: of none
	starts    int                    // as htccWishes.Starts
	atWork    error                  // why the agent, who has ended the session, was not taken out of work, as the site was away
	lateWith  string                 // the password, to do that later at another host; "" if there is none, or none is kept

	// Among replicas.

	tells       bool             // the agent's applications are told of changes
	first       string           // marks of what they were shown first, in a fleet; "" of a late part
	asked       *translate.Asked // at another replica; nil if nothing was
	behindUntil time.Time        // another replica may have changed the state, and the site may tell of it only later
	asRead      *shown           // what the last read alone shows, if another replica may have; else nil
}

// newICWSPart makes the part of a new upstream session; of the zero Conn one is opened when it is
// needed.
func newICWSPart(a *Agent, at *icwsSite, login string, conn icws.Conn) *icwsPart {
	p := &icwsPart{agent: a, site: at, login: login, language: a.session.Language, elsewhere: a.elsewhere(at), link: icwsLink{conn: &conn}, late: conn.SessionID == "", tells: a.gateway.fleet == nil,
		nudge: make(chan struct{}, 1), writing: make(chan struct{}, 1)}
	p.lists.begin(p)
	p.link.verified, _ = at.service.Life()
	p.lists.shareAt(conn)
	return p
}

// placeOf returns where an upstream session has its catalogue.
func placeOf(conn icws.Conn) catalogues.Place {
	return catalogues.Place{Base: conn.Base, Language: conn.Language}
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
	return *p.link.conn
}

// ready makes sure that the state was read once and returns what statuses are looked up in.
func (p *icwsPart) ready(ctx context.Context) (*catalogues.Directory, error) {
	p.mu.Lock()
	directory, begun := p.directory, p.begun
	p.mu.Unlock()
	if begun {
		return directory, nil
	}
	err := p.once(ctx, "begin", p.begin)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.directory, nil
}

// begin reads the agent's state for the first time.
func (p *icwsPart) begin(ctx context.Context) error {
	p.mu.Lock()
	begun := p.begun
	p.mu.Unlock()
	if begun { // since the caller looked
		return nil
	}
	began := p.moment()
	got, err := p.read(ctx)
	if err != nil {
		return fmt.Errorf("gateway: read the agent's state: %w", err)
	}
	defer p.amend(true)
	defer p.agent.send()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.link.closed {
		return errEnded
	}
	p.directory = p.site.directories.Of(p.site.Rules, got.catalogue, got.access)
	p.state = translate.Begin(p.link.conn.UserID, got.status, got.activations, p.directory.Directory)
	p.state.Station = translate.StationName(p.link.conn.Station)
	p.state.Elsewhere, p.state.Shared = p.elsewhere, len(p.agent.route.Stops) > 1
	if p.asked != nil {
		p.state = p.sureLocked(p.state.Recalled(*p.asked, p.directory.Directory), got, began)
	}
	p.atLogin = got.activations
	p.begun, p.readAt, p.readFrom = true, time.Now(), began
	p.changedLocked()
	if !p.late && p.agent.gateway.fleet != nil {
		p.first = firstShown(p.shownLocked())
	}
	if p.late && p.agent.isHeard() { // the agent's applications know them without these channels
		p.tellLocked(&translate.View{}, translate.Heard{})
	}
	p.logUnmapped(got.activations)
	return nil
}

// logUnmapped tells operators of work that reaches the agent past every channel.
func (p *icwsPart) logUnmapped(activations map[string]bool) {
	unmapped := p.site.unmapped(activations)
	if len(unmapped) > 0 {
		p.agent.gateway.log.Info("activated workgroups belong to no channel", "site", p.site.Name,
			"session", p.agent.short, "workgroups", unmapped)
	}
}

// update changes the state: what is shown follows from it, and writes that it completes are told. All
// changes are made by it, but for a whole new state (begin, recovered), the link of a part that begins again
// (revive), and what is only remembered of notifications (setLive, tell).
func (p *icwsPart) update(change func(translate.AgentState, *translate.Directory) (translate.AgentState, translate.Heard)) {
	p.change(change, true)
}

// change is update; told says whether the agent's applications hear of every difference, or only of
// what was confirmed.
func (p *icwsPart) change(change func(translate.AgentState, *translate.Directory) (translate.AgentState, translate.Heard), told bool) {
	p.mu.Lock()
	if !p.begun {
		p.mu.Unlock()
		return // begin will read it all
	}
	before, listed := p.beforeLocked(), p.full.status
	next, heard := change(p.state, p.directory.Directory)
	listed = !listed && p.full.status // just now
	next, heard = p.seen(next, heard, p.directory.Directory)
	p.state = next
	p.changedLocked()
	p.finishLocked(heard)
	if told || heard.Confirmed || heard.Failed != nil {
		p.tellLocked(before, heard)
	}
	p.mu.Unlock()
	p.agent.send()
	if listed {
		p.decideLeft(p.moment())
	}
	if heard.Doubted {
		p.agent.start(p.lookAgain)
	}
}

// moment returns the present one, for a read that begins.
func (p *icwsPart) moment() moment {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.moments.begin()
}

// asOfLocked returns the status that was read from a moment on, or the one that is known if that is newer.
func (p *icwsPart) asOfLocked(began moment, read icwsapi.UserStatus) icwsapi.UserStatus {
	if p.moments.isOld(began) {
		return p.state.Status
	}
	p.moments.took(began)
	return read
}

// close ends the part with its session here: what is kept is dropped and, if logOut, the upstream session
// left to be closed.
func (p *icwsPart) close(logOut bool) lateEnd {
	p.lists.catalogue.Drop()
	p.lists.access.Drop()
	p.mu.Lock()
	p.link.closed = true
	for _, w := range p.writes.byID {
		w.overdue.Stop()
	}
	left, directory := p.leftLocked(logOut), p.directory
	p.mu.Unlock()
	p.site.directories.Release(directory)
	return left
}
