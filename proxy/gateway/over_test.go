package gateway

import (
	"sync"
	"testing"
	"time"

	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
)

// A turncoat is a part that ends and begins again, over and over.
type turncoat struct {
	part
	end, begin func()
	isOver     func() bool // reads what the part says of itself, and the lock is the part's
	lock       sync.Locker
}

func turncoats(cleo *Agent) map[string]turncoat {
	atICWS, atHTCC := cleo.parts[0].(*icwsPart), cleo.parts[1].(*htccPart)
	conn, record := atICWS.connection(), atHTCC.record()
	return map[string]turncoat{
		"PureConnect": {atICWS, func() { atICWS.end(endForced) }, func() { atICWS.revive(conn, false) }, func() bool { return atICWS.link.over != "" }, &atICWS.mu},
		"HTCC":        {atHTCC, func() { atHTCC.end(nil) }, func() { atHTCC.beginAgain(record) }, func() bool { return atHTCC.over }, &atHTCC.mu},
	}
}

// TestAPartIsOverForTheAgentAsLongAsForItself looks at any moment. An agent of whom a part that has ended did not count
// as such would live on without any.
func TestAPartIsOverForTheAgentAsLongAsForItself(t *testing.T) {
	for _, site := range []string{"PureConnect", "HTCC"} {
		t.Run(site, func(t *testing.T) {
			cleo := newUnion(t, &icwssim.Server{}, &htccsim.Server{}).login("cleo")
			p := turncoats(cleo)[site]
			push := func() { // which takes its time
				cleo.outbox.sending.Lock()
				defer cleo.outbox.sending.Unlock()
				time.Sleep(time.Millisecond)
			}
			until := time.Now().Add(200 * time.Millisecond)
			var work sync.WaitGroup
			defer work.Wait()
			for _, do := range []func(){p.end, p.begin, push} {
				work.Go(func() {
					for time.Now().Before(until) {
						do()
					}
				})
			}
			for time.Now().Before(until) {
				p.lock.Lock()
				itself, agent := p.isOver(), cleo.isOver(p.part)
				p.lock.Unlock()
				if itself != agent {
					t.Fatalf("a part that is over: %v counts as over: %v", itself, agent)
				}
			}
		})
	}
}
