package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"portico/proxy/clock"
	"portico/proxy/fault"
	"portico/proxy/guesses"
	"portico/proxy/htcc"
	"portico/proxy/states"
	"portico/proxy/upstream"
	"portico/translate/htccapi"
)

// An htccPart is an agent at one HTCC site: the upstream session, and devices and channels as the
// site says they are, members unknown to Portico included. Any number of goroutines may use it.
type htccPart struct {
	agent   *Agent
	site    *htccSite
	login   string                 // at the site
	owned   []htccapi.MediaChannel // the agent's channels that are this site's; nil: the site is the only one
	afresh  afresh                 // reads of devices and channels
	writing chan struct{}          // room for one
	joining joining
	orders  slot // what changes the agent's state goes to the site one at a time
	silent  upstream.Absence
	amends  amends
	alive   clock.Instant // of the reader

	mu       sync.Mutex // guards what follows
	session  *htcc.Session
	object   htcc.Object // the agent object of the last log-in
	devices  []htcc.Device
	channels []htcc.Channel
	begun    bool                            // devices and channels were read
	readAt   time.Time                       // when they were last
	synced   bool                            // the reader tells of every change
	mended   time.Time                       // when it began to, or ceased to, last, or a reader began
	anew     func(*htcc.Session)             // has the reader leave an upstream session, if it is on that; nil before it was on one
	moments  moments                         // what devices and channels are as new as
	latest   latest                          // messages about each of them
	tells    bool                            // the agent's applications are told of changes
	first    string                          // marks of what they were shown first, in a fleet
	unheard  unheard                         // own operations
	dndTold  map[htccapi.MediaChannel]string // what applications were told last here of do-not-disturb of the channels; nil before
	away     bool                            // the site could not be reached
	over     bool                            // the part has ended: no upstream session can be had
	finished bool                            // the agent ended the upstream session: another is opened only for a caller
	unended  unended                         // what the agent has ended while the site was away
	closing  chan struct{}                   // closed when the End under way is over; nil while there is none
	wish     htccWishes                      // what the agent asked for and the site does not know
	replays  int                             // so far
	known    []states.State                  // the states the agent may choose, once they were read
	refused  []byte                          // proof of the password that the site would not take any more; nil if none
}

func newHTCCPart(a *Agent, at *htccSite, login string, owned []htccapi.MediaChannel, opened *htccSession) *htccPart {
	p := &htccPart{agent: a, site: at, login: login, owned: owned, writing: make(chan struct{}, 1), tells: a.gateway.fleet == nil, mended: time.Now()}
	if opened != nil {
		p.session = opened.session
		if opened.user.Text("userName") != "" { // of one that another replica opened it may be missing
			p.takeLocked(opened.user)
		}
	}
	if !p.tells {
		p.first = firstShown(p.viewLocked())
	}
	return p
}

// atHTCC returns the agent's parts at HTCC sites.
func (a *Agent) atHTCC() []*htccPart {
	var parts []*htccPart
	for _, p := range a.parts {
		one, isHTCC := p.(*htccPart)
		if isHTCC {
			parts = append(parts, one)
		}
	}
	return parts
}

func (p *htccPart) siteName() string { return p.site.Name }

func (p *htccPart) reused() {
	p.site.metrics.Login(upstream.LoginReused)
	p.site.metrics.Avoided(htcc.OpLogin, upstream.SessionReused)
}

// close lets the upstream session go: HTCC knows no log-out but EndContactCenterSession, which is
// the agent's own to send. One that they have sent while the site was away is left to be done.
func (p *htccPart) close(bool) lateEnd {
	left := lateEnd{account: guesses.Account{Site: p.site.Name, Name: p.login}}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.unended.cause != nil {
		left.takeOut, left.cause = p.lateEnd(p.unended), p.unended.cause
	}
	return left
}

// takeLocked keeps what a read of the agent says.
func (p *htccPart) takeLocked(user htcc.Object) {
	devices, errDevices := htcc.Devices(user)
	channels, errChannels := htcc.Channels(user)
	if errDevices != nil || errChannels != nil {
		return // the client has looked: it lets no such object through
	}
	p.devices, p.channels = devices, channels
	p.begun, p.away, p.readAt = true, false, time.Now()
	if user.Text("userName") != "" {
		p.object = user
	}
}

// call makes a call on the upstream session, and once more on a new one if that is gone.
func (p *htccPart) call(ctx context.Context, use func(*htcc.Session) error) error {
	session, err := p.joined(ctx, nil)
	if err != nil {
		return p.agent.denied(err)
	}
	err = use(session)
	if p.isOn(session) {
		p.silent.Called(err)
	}
	if err == nil {
		p.amends.answered()
	}
	if p.shouldMove() && p.move(ctx, session) == nil {
		return told(err)
	}
	if !errors.Is(err, htcc.ErrSessionGone) {
		return told(err)
	}
	session, err = p.joined(ctx, session)
	if err != nil {
		return p.agent.denied(err)
	}
	err = use(session)
	if errors.Is(err, htcc.ErrSessionGone) {
		return &fault.Error{Kind: fault.BadUpstream, Public: textDenied, Err: fmt.Errorf("%w: %s", errGoneAgain, err)}
	}
	return told(err)
}

// errGoneAgain is what a call comes to on which the site finds a session gone, and the next one too. Another call is like to
// cost another log-in.
var errGoneAgain = errors.New("gateway: the session that was opened for the call is gone too")

// told gives the caller the site's own words on a refusal: they are the API's, made for them.
func told(err error) error {
	refusal := htcc.AsRefusal(err)
	if refusal == nil || refusal.Message == "" || errors.Is(err, fault.Unauthenticated) {
		return err
	}
	return &fault.Error{Kind: fault.KindOf(err), Public: refusal.Message, Err: err}
}

func (p *htccPart) resync(ctx context.Context, s *htcc.Session) error {
	began := p.moment()
	user, err := p.site.HTCC.Me(ctx, s, htccapi.SubDevices, htccapi.SubChannels)
	if err != nil {
		return err
	}
	p.take(user, began)
	return nil
}

// take keeps and tells what a read of devices and channels says that began at a moment.
func (p *htccPart) take(user htcc.Object, began moment) {
	back := false
	p.change(func() {
		back = !p.begun || p.away
		p.keepLocked(user, began)
	})
	if back {
		p.amend(true)
	}
}

func (p *htccPart) keepLocked(user htcc.Object, began moment) {
	if p.begun && p.moments.isPassed(began) {
		return // the answer to a later read has come since: as new as what was read or newer
	}
	p.moments.took(began)
	kept, devices, channels := p.object, p.devices, p.channels
	p.takeLocked(user)
	p.layLocked(began.told, devices, channels)
	if kept.Text("userName") != "" {
		p.object = kept // the log-in's has the features too
	}
}

// moment returns the present one, for a read that begins.
func (p *htccPart) moment() moment {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.moments.begin()
}

func (p *htccPart) cameSoFar() tally {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.unheard.came
}

// change changes what is kept of the agent, other than a notification of the site does. What is shown
// differently then is told.
func (p *htccPart) change(change func()) {
	p.mu.Lock()
	before, quiet := p.viewLocked(), p.quietLocked()
	change()
	p.tellLocked(before, quiet)
	p.mu.Unlock()
	p.agent.send()
}
