package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/proxy/push"
	"portico/proxy/session"
	"portico/proxy/upstream"
)

// A read shows the write before it, at whichever replicas both are made, though the site tells only one of them,
// and later.
func TestAReadShowsTheWriteAtAnotherReplica(t *testing.T) {
	for _, agent := range []struct{ name, channel, start string }{{"anna", "voice", ""}, {"bjorn", "chat", startTwo}, {"cleo", "chat", startAll}} {
		t.Run(agent.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fleet, cloud, a, b := twoTellers(t)
				a.fault(icwssim.Fault{Scenario: "messaging-1"}) // it is asked for changes every now and then
				atA := a.login(agent.name)
				settle()
				if agent.start != "" {
					a.posted(atA, "", agent.start)
					settle()
				}
				atA.expectReads(t, "where the agent logged in", true)
				for i := range 40 {
					state := []string{"Ready", "NotReady"}[i%2]
					b.posted(b.cookie(atA.SessionID()), "", fmt.Sprintf(`{"operationName":%q}`, state))
					if got := " " + a.shows(atA) + " "; !strings.Contains(got, " "+agent.channel+":"+state+" ") {
						t.Errorf("operation %d: /me elsewhere shows%s; want %s:%s", i, got, agent.channel, state)
					}
					time.Sleep(time.Duration(i%7) * 20 * time.Millisecond)
				}
				time.Sleep(time.Minute)
				reads := func() int { return cloud.Calls()["GET /api/v2/me"] + fleet.sim.Calls()[routeGetStatus] }
				before := reads()
				for range 10 {
					a.shows(atA)
				}
				if got := reads() - before; got != 0 {
					t.Errorf("%d reads reached the sites when everything had been told; want 0", got)
				}
			})
		})
	}
}

func TestWhoAsksWhileAReadIsUnderWayGetsTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		afresh, reads, failure := &afresh{}, 0, error(nil)
		read := func(context.Context) error {
			reads++
			time.Sleep(time.Second)
			return failure
		}
		ask := func(many int) (answers []error, took time.Duration) {
			began := time.Now()
			answers = make([]error, many)
			var work sync.WaitGroup
			for i := range many {
				time.Sleep(time.Millisecond)
				work.Go(func() { answers[i] = afresh.do(t.Context(), t.Context(), read) })
			}
			work.Wait()
			return answers, time.Since(began).Round(100 * time.Millisecond)
		}
		_, took := ask(50)
		if reads != 2 || took != 2*time.Second {
			t.Errorf("50 who asked made %d reads in %v; want one for the first and one for the others, in 2s", reads, took)
		}
		failure, reads = errors.New("no answer"), 0
		answers, took := ask(50)
		for i, err := range answers {
			if err != failure {
				t.Errorf("ask %d: %v; want %v", i, err, failure)
			}
		}
		if reads != 1 || took != time.Second {
			t.Errorf("50 who asked made %d reads in %v, which failed; want one, in 1s", reads, took)
		}
		failure, reads = nil, 0
		answers, _ = ask(1)
		if reads != 1 || answers[0] != nil {
			t.Errorf("after that: %d reads, %v; want one", reads, answers[0])
		}
	})
}

// A replica that begins to read an agent was asked for them a moment ago: what another one changes from then on is not
// in what it read.
func TestAReadShowsTheWriteElsewhereWhereReadingBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, _ := fleet.replica(t)
		b, _ := fleet.replica(t)
		atA := a.login("anna")
		settle()
		a.fault(icwssim.Fault{Route: routeUserAll, Delay: time.Second})
		a.Close(t.Context())
		atB := b.cookie(atA.SessionID())
		b.expect(atB, "taken up", showsNotReady)
		synctest.Wait()
		atB.expectReads(t, "that the first one left", true)
		c, _ := fleet.replica(t)
		c.do(c.cookie(atA.SessionID()), "Ready", "")
		b.expect(atB, "after a write elsewhere", showsReady)
	})
}

// distantLeases take their time for each answer, and are waited for no longer than the caller has.
type distantLeases struct {
	session.Leases
	takes time.Duration
}

func (l distantLeases) Take(ctx context.Context, name, holder string, life time.Duration) (session.Lease, error) {
	err := upstream.Sleep(ctx, l.takes)
	if err != nil {
		return session.Lease{}, err
	}
	return l.Leases.Take(ctx, name, holder, life)
}

// TestAReadShowsTheWriteElsewhereThatGotNoTurn has others be slow with the agent's operations, or die in one, beside a
// store that is near, and one that takes its time: then the turn's time ends while it is asked.
func TestAReadShowsTheWriteElsewhereThatGotNoTurn(t *testing.T) {
	for _, takes := range []time.Duration{0, 30 * time.Millisecond, 130 * time.Millisecond} {
		t.Run(takes.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { testNoTurn(t, takes) })
		})
	}
}

func testNoTurn(t *testing.T, takes time.Duration) {
	fleet, cloud := newShared(), &htccsim.Server{}
	a, _ := fleet.teller(t, cloud)
	join, _ := fleet.join()
	b := newUnion(t, fleet.sim, cloud, join, func(s *Settings, _ *Site) {
		s.Push = push.New(push.Options{TrustClientSession: true, Journal: fleet.journal.End()})
		s.Fleet.Leases = distantLeases{s.Fleet.Leases, takes}
	})
	b.sweepPages()
	a.fault(icwssim.Fault{Scenario: "messaging-1"})
	atA := a.login("anna")
	settle()
	atA.expectReads(t, "where the agent logged in", true)
	atB := b.cookie(atA.SessionID())
	for i := range 20 {
		state := []string{"Ready", "NotReady"}[i%2]
		lease, err := fleet.leases.Take(t.Context(), "write/anna", fmt.Sprint("another, number ", i), 5500*time.Millisecond)
		if err != nil || !lease.Held {
			t.Fatalf("the turn is %+v, %v", lease, err)
		}
		b.posted(atB, "", fmt.Sprintf(`{"operationName":%q}`, state))
		if got := " " + a.shows(atA) + " "; !strings.Contains(got, " voice:"+state+" ") {
			t.Errorf("operation %d: /me elsewhere shows%s; want %s", i, got, state)
		}
		if !b.fleet.unstored.settled() {
			t.Errorf("operation %d: the store is taken to be away", i)
		}
		time.Sleep(time.Duration(i%7)*20*time.Millisecond + 6*time.Second)
	}
}
