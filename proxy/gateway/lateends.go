package gateway

import (
	"context"
	"slices"
	"strings"
	"sync"

	"portico/proxy/guesses"
	"portico/proxy/upstream"
)

// lateEnds are agents who have ended their sessions and are still to be taken out of work at a site, by their accounts
// there. That stands back for log-ins, and ends with one that succeeds. An account without a name is any of the site's: so
// is that of a log-in with a token until it is answered. Any number of goroutines may use it.
type lateEnds struct {
	mu     sync.Mutex
	late   map[guesses.Account][]*takingOut // guarded by mu
	logIns map[guesses.Account]int          // under way; guarded by mu
}

// A takingOut is one agent at one site.
type takingOut struct {
	account guesses.Account
	life    context.Context // ends when somebody logs in to the account
	end     context.CancelFunc

	cancel context.CancelFunc // of the try under way; guarded by lateEnds.mu
	over   chan struct{}      // closed when that is over; nil while there is none; guarded by lateEnds.mu
}

func newLateEnds() *lateEnds {
	return &lateEnds{late: map[guesses.Account][]*takingOut{}, logIns: map[guesses.Account]int{}}
}

// folded returns accounts by the names that a site takes for the same.
func folded(accounts ...guesses.Account) []guesses.Account {
	same := slices.Clone(accounts)
	for i := range same {
		same[i].Name = strings.ToLower(strings.TrimSpace(same[i].Name))
	}
	return same
}

// add notes an agent, until take.
func (l *lateEnds) add(account guesses.Account) *takingOut {
	account = folded(account)[0]
	one := &takingOut{account: account}
	one.life, one.end = context.WithCancel(context.Background())
	l.mu.Lock()
	defer l.mu.Unlock()
	l.late[account] = append(l.late[account], one)
	return one
}

func (l *lateEnds) take(one *takingOut) {
	one.end()
	l.mu.Lock()
	defer l.mu.Unlock()
	left := slices.DeleteFunc(l.late[one.account], func(other *takingOut) bool { return other == one })
	if len(left) == 0 {
		delete(l.late, one.account)
		return
	}
	l.late[one.account] = left
}

// begin begins a try, which ends with a call of over, and at the latest with ctx; ctx is nil while somebody logs in.
func (l *lateEnds) begin(one *takingOut) (ctx context.Context, over func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.logIns[one.account] > 0 || l.logIns[guesses.Account{Site: one.account.Site}] > 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(upstream.WithCause(one.life, upstream.Session), takeOutTimeout)
	done := make(chan struct{})
	one.cancel, one.over = cancel, done
	return ctx, func() {
		cancel()
		l.mu.Lock()
		defer l.mu.Unlock()
		one.cancel, one.over = nil, nil
		close(done)
	}
}

// hold breaks off the tries under way for accounts that somebody logs in to, and lets none begin until release.
func (l *lateEnds) hold(accounts []guesses.Account) {
	for _, over := range l.breakOff(accounts) {
		<-over
	}
}

// breakOff notes the log-in, and returns what is closed when each of the tries is over.
func (l *lateEnds) breakOff(accounts []guesses.Account) []chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	var under []chan struct{}
	for _, account := range folded(accounts...) {
		l.logIns[account]++
		for _, one := range l.ofLocked(account) {
			if one.over != nil {
				one.cancel()
				under = append(under, one.over)
			}
		}
	}
	return under
}

// ofLocked returns the agents of an account.
func (l *lateEnds) ofLocked(account guesses.Account) []*takingOut {
	if account.Name != "" {
		return l.late[account]
	}
	var all []*takingOut
	for named, late := range l.late {
		if named.Site == account.Site {
			all = append(all, late...)
		}
	}
	return all
}

func (l *lateEnds) release(accounts []guesses.Account) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, account := range folded(accounts...) {
		l.logIns[account]--
		if l.logIns[account] == 0 {
			delete(l.logIns, account)
		}
	}
}

// stop ends for good what is tried for accounts that somebody has logged in to.
func (l *lateEnds) stop(accounts []guesses.Account) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, account := range folded(accounts...) {
		for _, one := range l.late[account] {
			one.end()
		}
	}
}
