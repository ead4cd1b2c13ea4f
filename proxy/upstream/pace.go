package upstream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"portico/proxy/fault"
)

// A Pace has the log-ins of a site begin one after the other, so many a second. Who comes first begins
// first, but callers before readers that have lost their session: somebody waits for a caller's answer.
// Any number of goroutines may use it.
type Pace struct {
	site  *Site
	every time.Duration
	room  int           // in the callers' line
	wait  time.Duration // the longest there
	fleet *fleetPace    // nil: this process logs in alone

	mu    sync.Mutex
	free  time.Time     // when the next may begin; guarded by mu
	lines [2][]*waiting // of callers, and of readers; guarded by mu
	timer *time.Timer   // runs while somebody waits; guarded by mu
}

// The lines.
const (
	ofCallers = iota
	ofReaders
)

// waiting is somebody in a line.
type waiting struct{ admitted chan struct{} }

func newPace(site *Site, limits Limits) *Pace {
	p := &Pace{site: site, every: time.Second / time.Duration(limits.Logins), room: limits.LoginQueue, wait: limits.LoginWait}
	if limits.LoginTurn != nil {
		p.fleet = &fleetPace{ask: limits.LoginTurn, gap: p.every}
	}
	return p
}

// A Wish is what may still be said of a log-in while it waits for its turn.
type Wish struct {
	Gone   <-chan struct{} // is closed when nobody wants it any more
	Urgent <-chan struct{} // a value says that a caller waits for a reader's log-in
	Still  func() error    // is asked when the turn has come; an error gives it to the next; nil: nobody is asked
}

type wishKey struct{}

// WithWish returns a context whose log-ins wait as the wish says.
func WithWish(ctx context.Context, wish Wish) context.Context {
	return context.WithValue(ctx, wishKey{}, wish)
}

// WithStill returns a context with the same wish but for Still.
func WithStill(ctx context.Context, still func() error) context.Context {
	wish, _ := ctx.Value(wishKey{}).(Wish)
	wish.Still = still
	return WithWish(ctx, wish)
}

// Turn waits for the turn of one attempt to log in, counted under operation. Whose it is the context's
// cause tells: Client is a caller's. A caller who could not have it in time is refused at once, with
// fault.Overloaded and when to come again. It fails with context.Canceled when ctx is cancelled or the
// wish is gone; the place in the line is then free. A nil Guard, or one without a pace, lets everybody go.
func (g *Guard) Turn(ctx context.Context, operation string) error {
	if g == nil || g.pace == nil {
		return nil
	}
	began := time.Now()
	err := g.pace.turn(ctx, g.site.of(operation))
	if err == nil {
		g.site.loginWait.Observe(time.Since(began).Seconds())
	}
	return err
}

var (
	errLine   = errors.New("too many log-ins wait for their turn")
	errNobody = fmt.Errorf("nobody waits for the log-in any more: %w", context.Canceled)
)

func (p *Pace) turn(ctx context.Context, op *operation) error {
	line := ofReaders
	if CauseOf(ctx) == Client {
		line = ofCallers
	}
	mine, err := p.join(line)
	if err != nil {
		op.shorts[shortPaced].Inc()
		return err
	}
	if mine == nil {
		return nil
	}
	wish, _ := ctx.Value(wishKey{}).(Wish)
	for {
		select {
		case <-mine.admitted:
			return p.taken(wish)
		case <-wish.Urgent:
			p.prefer(mine)
		case <-wish.Gone:
			p.abandon(mine)
			op.shorts[shortDeadline].Inc()
			return errNobody
		case <-ctx.Done():
			p.abandon(mine)
			return op.gaveUp(ctx)
		}
	}
}

// taken asks whether a turn that has come is wanted still.
func (p *Pace) taken(wish Wish) error {
	if wish.Still == nil {
		return nil
	}
	err := wish.Still()
	if err != nil {
		p.pass()
	}
	return err
}

// pass gives a turn that is not used to the next in line.
func (p *Pace) pass() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = p.free.Add(-p.every)
	p.fleet.giveBack(p.every)
	if p.timer != nil && p.timer.Stop() {
		p.timer = nil
	}
	p.awaitLocked()
}

// join takes a place at the end of a line; nil if it is the caller's turn at once.
func (p *Pace) join(line int) (*waiting, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.fleet == nil && p.lengthLocked() == 0 && !now.Before(p.free) {
		p.free = now.Add(p.every)
		return nil, nil
	}
	ahead := len(p.lines[ofCallers])
	expected := p.free.Sub(now) + time.Duration(ahead)*p.fleet.gapOr(p.every)
	if line == ofCallers && (ahead >= p.room || expected > p.wait) {
		return nil, &fault.Error{Kind: fault.Overloaded, RetryAfter: max(expected, time.Second), Err: errLine}
	}
	mine := &waiting{admitted: make(chan struct{})}
	p.lines[line] = append(p.lines[line], mine)
	p.awaitLocked()
	return mine, nil
}

// admit lets the next one go, if the other replicas do.
func (p *Pace) admit() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = nil
	now := time.Now()
	if p.fleet != nil && !p.mayBeginLocked() {
		p.awaitLocked()
		return
	}
	for line := range p.lines {
		if len(p.lines[line]) == 0 {
			continue
		}
		close(p.lines[line][0].admitted)
		p.lines[line] = slices.Delete(p.lines[line], 0, 1)
		p.free = now.Add(p.every)
		p.fleet.began(now, len(p.lines[ofCallers]) > 0)
		break
	}
	p.awaitLocked()
}

// prefer moves somebody from the readers' line to the end of the callers'.
func (p *Pace) prefer(mine *waiting) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.leaveLocked(ofReaders, mine) {
		p.lines[ofCallers] = append(p.lines[ofCallers], mine)
	}
}

// abandon leaves the line. A turn that came in the same moment is not used by anybody.
func (p *Pace) abandon(mine *waiting) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.leaveLocked(ofCallers, mine) || p.leaveLocked(ofReaders, mine)
	p.awaitLocked()
}

// leaveLocked takes somebody out of a line; false if they are not in it.
func (p *Pace) leaveLocked(line int, mine *waiting) bool {
	at := slices.Index(p.lines[line], mine)
	if at < 0 {
		return false
	}
	p.lines[line] = slices.Delete(p.lines[line], at, at+1)
	return true
}

func (p *Pace) lengthLocked() int { return len(p.lines[ofCallers]) + len(p.lines[ofReaders]) }

// awaitLocked shows how many wait, and has the next one admitted in time.
func (p *Pace) awaitLocked() {
	n := p.lengthLocked()
	p.site.loginsWaiting.Set(float64(n))
	if n > 0 && p.timer == nil && !p.fleet.isAsking() {
		p.timer = time.AfterFunc(time.Until(p.free), p.admit)
	}
}
