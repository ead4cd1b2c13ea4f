package gateway

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/proxy/session"
	"portico/translate/htccapi"
)

// TestAReportDuringAnOperationElsewhereDropsNoWish has anna leave voice at a replica that does not read. Sooner or later in
// that time the other one tells the store what PureConnect shows it of the operation so far.
func TestAReportDuringAnOperationElsewhereDropsNoWish(t *testing.T) {
	for wait := time.Duration(0); wait < leaseEvery; wait += 100 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			fleet := newShared()
			a, _ := fleet.replica(t)
			b, _ := fleet.replica(t)
			p := newPair(t, a, b, "anna", false)
			b.shows(p.atB)
			a.do(p.atA, htccapi.Ready, "")
			settle()
			a.do(p.atA, "AtLunch", "email")
			settle()
			settle()
			for _, route := range []string{routeGetStatus, routePutActivations, routePutStatus} {
				a.fault(icwssim.Fault{Route: route, Delay: 400 * time.Millisecond})
			}
			time.Sleep(wait)
			b.do(b.cookie(p.atA.SessionID()), htccapi.Offline, htccapi.Voice)
			a.sim.Reset()
			settle()
			settle()
			a.do(p.atA, htccapi.Ready, "")
			settle()
			a.expect(p.atA, "Ready on all, with a report after "+wait.String(), "voice:LoggedOut email:Ready Active dnd:Off")
		})
	}
}

// TestTheLaterOfTwoWishesHoldsWhereTheSiteIsSlow has cleo start less at one replica while HTCC takes its time with a Start
// at the other one, and with this one: the second may have to go without the turn, and end first.
func TestTheLaterOfTwoWishesHoldsWhereTheSiteIsSlow(t *testing.T) {
	for delay := 500 * time.Millisecond; delay < 5*time.Second; delay += 500 * time.Millisecond {
		t.Run(delay.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, cloud, a, b := twoTellers(t)
				p := newPair(t, a, b, "cleo", false)
				id := p.atA.SessionID()
				b.shows(p.atB)
				a.posted(p.atA, "", startOf("voice chat"))
				settle()
				a.posts(p.atA, `{"operationName":"Ready"}`)
				settle()
				a.faultCloud(cloud, htccsim.Fault{Delay: delay})
				var both sync.WaitGroup
				both.Go(func() { b.posts(b.cookie(id), startAll) })
				time.Sleep(time.Second)
				both.Go(func() { a.posts(a.cookie(id), startOf("voice")) })
				both.Wait()
				cloud.Reset()
				settle()
				settle()
				const voice = "voice:Ready chat:LoggedOut email:LoggedOut Active dnd:Off"
				a.posts(a.cookie(id), `{"operationName":"Ready"}`)
				a.expect(a.cookie(id), "Ready where the second Start was", voice)
				settle()
				b.expect(b.cookie(id), "the same where the first was", voice)
			})
		})
	}
}

// A looseCable is one on which some looks at the store fail, and nothing else.
type looseCable struct {
	*cable
	fails atomic.Int64
}

func (c *looseCable) ByLogin(ctx context.Context, login string) (session.Session, error) {
	if c.fails.Add(-1) >= 0 {
		return session.Session{}, errors.New("time-out")
	}
	return c.cable.ByLogin(ctx, login)
}

// TestTheLaterOfTwoWishesHoldsWhereALookFails has cleo start chat alone at a replica that cannot look what she started at
// the other one before.
func TestTheLaterOfTwoWishesHoldsWhereALookFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet, cloud := newShared(), &htccsim.Server{}
		join, line := fleet.join()
		store := &looseCable{cable: line}
		a := newUnion(t, fleet.sim, cloud, join, func(s *Settings, _ *Site) { s.Store = store })
		b, _ := fleet.teller(t, cloud)
		p := newPair(t, a, b, "cleo", false)
		b.posted(p.atB, "", startAll)
		store.fails.Store(1)
		a.posted(p.atA, "", startOf("chat"))
		settle()
		a.posts(p.atA, `{"operationName":"Ready"}`)
		a.expect(p.atA, "Ready", "voice:LoggedOut chat:Ready email:LoggedOut Active dnd:Off")
	})
}

// TestAReportBeforeTheStoreIsToldOfAnOperationDropsNoWish has the reader's report come at each moment between the end of an
// operation elsewhere and what that replica tells the store of it.
func TestAReportBeforeTheStoreIsToldOfAnOperationDropsNoWish(t *testing.T) {
	const takes = 100 * time.Millisecond
	for offset := 4 * time.Second; offset < leaseEvery; offset += 10 * time.Millisecond { // the moments lie in between
		synctest.Test(t, func(t *testing.T) {
			fleet := newShared()
			a, _ := fleet.replica(t)
			join, line := fleet.join()
			slow := longLine{line, &atomic.Int64{}}
			b := newWorld(t, fleet.sim, join, func(s *Settings, _ *Site) { s.Store, s.Fleet.Leases = slow, slow })
			p := newPair(t, a, b, "anna", false)
			b.shows(p.atB)
			a.do(p.atA, "Ready", "")
			settle()
			a.do(p.atA, "AtLunch", "email") // voice is Ready
			settle()
			settle()
			slow.takes.Store(int64(takes))
			time.Sleep(offset)
			b.do(b.cookie(p.atA.SessionID()), "Offline", "voice")
			settle()
			settle()
			a.shows(p.atA)
			b.shows(p.atB)
			a.do(p.atA, "Ready", "")
			settle()
			after := a.shows(p.atA)
			if after != "voice:LoggedOut email:Ready Active dnd:Off" {
				t.Errorf("an operation after %v: Ready then makes %q; want voice to stay LoggedOut", offset, after)
			}
		})
	}
}
