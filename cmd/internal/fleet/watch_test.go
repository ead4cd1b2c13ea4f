package fleet

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// A watch follows what agents see while something happens to their fleet.
type watch struct {
	*stage
	t      *testing.T
	from   map[string]int // numbers of states at the beginning
	writes map[string]int // at the beginning
	stop   func() error
	abrupt bool // a replica ended without notice
}

// watch has all agents work and their states change, until settle.
func (s *stage) watch(t *testing.T) *watch {
	t.Helper()
	s.all((*Applications).Forget)
	w := &watch{stage: s, t: t, from: s.changes.now(), writes: map[string]int{}}
	for name, account := range s.accounts() {
		w.writes[name] = account.Writes
	}
	s.all(func(app *Applications) error { return app.Work(every) })
	w.stop = s.changes.start(t.Context(), perAgent)
	return w
}

// end ends the changes and the work.
func (w *watch) end() {
	w.t.Helper()
	must(w.t, w.stop())
	w.all((*Applications).Rest)
}

// settle ends the changes and the work, and waits until all agents were told the newest state.
func (w *watch) settle() {
	w.t.Helper()
	w.end()
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		if len(w.verdict(w.accounts()).faults) == 0 {
			break
		}
		time.Sleep(200 * time.Millisecond)
	}
	time.Sleep(time.Second) // what is told twice comes late
}

// verdict judges all clients.
func (w *watch) verdict(accounts map[string]Account) *verdict {
	all, now := &verdict{}, w.changes.now()
	for _, a := range w.agents {
		account := accounts[a.Name]
		for what, told := range map[string][]Told{"devices": account.Devices, "channels": account.Channels} {
			if a.Name == onHTCC && what == "channels" {
				continue // which do not list voice there
			}
			var v verdict
			who := fmt.Sprintf("%s %s, ack %v", a.Name, what, a.Ack)
			if a.Writes {
				v.judgeTurns(who, told, w.writes[a.Name], account.Writes)
			} else {
				v.judge(who, told, w.from[a.Name], now[a.Name])
			}
			if w.abrupt && excusable(a, account, v, toldLast(told, account.Writes)) {
				v.excused, v.faults = v.faults, nil
			}
			all.add(v)
		}
	}
	return all
}

// excusable reports whether a client's faults may be where a replica ended without notice. One that does not
// acknowledge may have been told anew, or not at all, what one answer carried. A write that failed, or was answered
// without having been seen done, was made again though it had been done, and so it was told again.
func excusable(a Applicant, account Account, v verdict, last bool) bool {
	if !a.Writes {
		return !a.Ack && len(v.faults) == 1
	}
	again := account.Unsure
	for _, e := range account.Failures {
		if strings.HasPrefix(e.What, "POST: ") {
			again++
		}
	}
	if !a.Ack {
		again++
	}
	return last && v.doubled <= again
}

// toldLast reports whether the last state that a client was told is that of the last write.
func toldLast(told []Told, writes int) bool {
	return len(told) > 0 && told[len(told)-1].State == turn(writes)
}

// succeeded holds that no request failed, that reads showed what was written, and that no client had to
// shake hands again.
func (w *watch) succeeded() {
	w.t.Helper()
	accounts := w.accounts()
	reads, writes, handshakes, slowest := 0, 0, 0, int64(0)
	for name, account := range accounts {
		slowest = max(slowest, account.Slowest)
		reads, writes, handshakes = reads+account.Reads, writes+account.Writes-w.writes[name], handshakes+account.Handshakes
	}
	w.t.Logf("%d reads and %d writes, the slowest of %d ms", reads, writes, slowest)
	if failed := failures(accounts); len(failed) > 0 {
		w.t.Errorf("requests failed: %s", describe(failed))
	}
	if wrong := wrongs(accounts); len(wrong) > 0 {
		w.t.Errorf("reads did not show what was written: %s", describe(wrong))
	}
	if handshakes > 0 {
		w.t.Errorf("%d clients had to shake hands again", handshakes)
	}
}

// told holds that each client was told of its agent's states in order, none twice and the newest at
// last.
func (w *watch) told() {
	w.t.Helper()
	v := w.verdict(w.accounts())
	w.t.Logf("%d notifications; not told since newer ones took their place: %s", v.told, describe(v.missing))
	if len(v.excused) > 0 {
		w.t.Logf("what may be: %s", describe(v.excused))
	}
	if len(v.faults) == 0 {
		return
	}
	w.t.Errorf("notifications: %s", describe(v.faults))
	for name, account := range w.accounts() {
		if slices.ContainsFunc(v.faults, func(fault string) bool { return strings.HasPrefix(fault, name+" ") }) {
			w.t.Logf("%s: %+v", name, account)
		}
	}
}
