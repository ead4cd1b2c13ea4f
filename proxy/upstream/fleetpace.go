package upstream

import (
	"context"
	"time"
)

// A fleetPace is what a Pace knows of the other replicas that log in at the same site. Its head of the
// line asks them for each turn, and nobody else: so they are asked little more often than turns are given.
// Among callers of several replicas who comes first is chance, as is among readers. The Pace's mutex
// guards it; the nil fleetPace is that of a process without others.
type fleetPace struct {
	ask LoginTurn

	asking bool
	spare  time.Time // until when a turn can be used that was got and not wanted

	gap  time.Duration // between callers' turns, as it was of late
	last time.Time     // when a turn began after which callers waited; zero if none did
}

// mayBeginLocked asks the other replicas for the next turn, for callers if any wait. If it is not to be had
// yet, it notes when to ask again. The lock is given back meanwhile. Where the others cannot be asked the
// turn is this process's: its own pace has brought it here.
func (p *Pace) mayBeginLocked() bool {
	f := p.fleet
	if p.lengthLocked() == 0 {
		return false
	}
	if time.Now().Before(f.spare) {
		f.spare = time.Time{}
		return true
	}
	callers := len(p.lines[ofCallers])
	f.asking = true
	p.mu.Unlock()
	wait, err := f.ask(context.Background(), p.every, callers)
	p.mu.Lock()
	f.asking = false
	if err != nil || wait <= 0 {
		return true
	}
	p.free = time.Now().Add(wait)
	return false
}

// began notes a turn that has begun, and whether callers wait for theirs.
func (f *fleetPace) began(now time.Time, more bool) {
	if f == nil {
		return
	}
	if !f.last.IsZero() {
		f.gap += (now.Sub(f.last) - f.gap) / 4
	}
	f.last = time.Time{}
	if more {
		f.last = now
	}
}

// giveBack keeps a turn that nobody wanted for the next in line.
func (f *fleetPace) giveBack(every time.Duration) {
	if f != nil {
		f.spare = time.Now().Add(every)
	}
}

// gapOr returns how long one caller's turn comes after another's: every, without other replicas.
func (f *fleetPace) gapOr(every time.Duration) time.Duration {
	if f == nil {
		return every
	}
	return max(every, f.gap)
}

func (f *fleetPace) isAsking() bool { return f != nil && f.asking }
