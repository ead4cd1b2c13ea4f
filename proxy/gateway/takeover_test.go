package gateway

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/proxy/push"
	"portico/proxy/session"
)

// teller returns a replica that tells agents' applications of changes, wherever these are.
func (s *shared) teller(t *testing.T, cloud *htccsim.Server) (*world, *cable) {
	t.Helper()
	return s.tellerWith(t, cloud, s.journal.End())
}

// twoTellers returns two of them that share a store, and what they share.
func twoTellers(t *testing.T) (fleet *shared, cloud *htccsim.Server, a, b *world) {
	t.Helper()
	fleet, cloud = newShared(), &htccsim.Server{}
	a, _ = fleet.teller(t, cloud)
	b, _ = fleet.teller(t, cloud)
	return fleet, cloud, a, b
}

// tellerWith is teller with a journal of its own, which leads to the others'.
func (s *shared) tellerWith(t *testing.T, cloud *htccsim.Server, journal push.Journal) (*world, *cable) {
	t.Helper()
	join, line := s.join()
	tell := func(settings *Settings, _ *Site) {
		settings.Push = push.New(push.Options{TrustClientSession: true, Journal: journal})
	}
	w := newUnion(t, s.sim, cloud, join, tell)
	w.sweepPages()
	return w, line
}

// inTurn returns the replicas one after the other.
func inTurn(replicas ...*world) func() *world {
	next := 0
	return func() *world {
		next++
		return replicas[next%len(replicas)]
	}
}

// anywhere opens a desktop each of whose requests comes to the replica that where returns.
func anywhere(id string, where func() *world) *desktop {
	return where().openAt(func(answer http.ResponseWriter, r *http.Request) {
		w := where()
		w.cookie(id)
		err := w.settings.Push.Serve(answer, r, id)
		if err != nil {
			answer.WriteHeader(http.StatusInternalServerError)
		}
	}, everything)
}

func TestADesktopHearsOfEachChangeOnceWhereverItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, a, b := twoTellers(t)
		anna := a.login("anna")
		settle()
		desktop := anywhere(anna.SessionID(), inTurn(a, b))
		settle()
		desktop.heard()
		ready := []string{"device Active:Ready dnd:Off", "channels voice:Ready email:Ready"}
		b.do(b.cookie(anna.SessionID()), "Ready", "")
		desktop.later("a write where nobody reads", ready...)
		b.do(b.cookie(anna.SessionID()), "Ready", "")
		desktop.later("the same again", ready...)
		a.do(anna, "Ready", "")
		desktop.later("the same where it is read", ready...)
		a.do(anna, "NotReady", "")
		desktop.later("a write where it is read", "device Active:NotReady dnd:Off", "channels voice:NotReady email:NotReady")
		a.set(icwssim.StateChange{User: "anna", StatusID: ptr("Available")})
		desktop.later("a change at the site", ready...)
		b.expect(b.cookie(anna.SessionID()), "a read where nobody reads", showsReady)
		desktop.later("that read")
	})
}

// TestAnOperationThatChangesNothingIsNotToldLate has one where nobody reads while that replica can put nothing into the
// journal. The reader tells of what happens next.
func TestAnOperationThatChangesNothingIsNotToldLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet, cloud := newShared(), &htccsim.Server{}
		a, _ := fleet.teller(t, cloud)
		end := fleet.journal.End()
		b, _ := fleet.tellerWith(t, cloud, end)
		anna := a.login("anna")
		settle()
		a.do(anna, "Ready", "")
		atB := b.cookie(anna.SessionID())
		there, elsewhere := a.open(anna, everything), b.open(atB, everything)
		settle()
		there.heard()
		elsewhere.heard()
		end.Refuse(errCut, nil)
		ready := []string{"device Active:Ready dnd:Off", "channels voice:Ready email:Ready"}
		b.do(atB, "Ready", "")
		there.later("the same again elsewhere")
		elsewhere.later("the same again", ready...)
		end.Refuse(nil, nil)
		a.do(anna, "NotReady", "")
		settle()
		notReady := []string{"device Active:NotReady dnd:Off", "channels voice:NotReady email:NotReady"}
		there.hears("a change", notReady...)
		elsewhere.hears("a change", notReady...)
	})
}

// TestAStateThatNobodyToldOfIsNotToldAgain has a reader die before it tells of a change. The agent asks for that state
// where nobody reads, and then for the one before, which is the one that the next reader finds told.
func TestAStateThatNobodyToldOfIsNotToldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet, cloud := newShared(), &htccsim.Server{}
		end := fleet.journal.End()
		a, toStore := fleet.tellerWith(t, cloud, end)
		b, _ := fleet.teller(t, cloud)
		for _, login := range []string{"anna", "cleo"} {
			agent := a.login(login)
			settle()
			a.do(agent, "Ready", "voice")
			atB := b.cookie(agent.SessionID())
			desktop := b.open(atB, everything)
			settle()
			desktop.heard()
			end.Cut(true)
			toStore.cut.Store(true) // as far as the others can tell, a is dead
			a.set(icwssim.StateChange{User: login, StatusID: ptr("At Lunch")})
			b.do(atB, "AtLunch", "voice")
			time.Sleep(time.Second)
			b.do(atB, "Ready", "voice")
			desktop.later("of what is again as it was told")
			time.Sleep(2 * leaseLife)
			atB.expectReads(t, "where the lease ran out", true)
			desktop.later("of who reads now")
			end.Cut(false)
			toStore.cut.Store(false)
			settle()
		}
	})
}

func TestADesktopHearsWhatChangedBetweenTwoReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet, cloud := newShared(), &htccsim.Server{}
		a, toStore := fleet.teller(t, cloud)
		b, _ := fleet.teller(t, cloud)
		anna, bjorn := a.login("anna"), a.login("bjorn")
		settle()
		a.posted(bjorn, "", startTwo)
		a.do(anna, "Ready", "")
		time.Sleep(time.Second)
		var dead atomic.Bool
		where := func() *world {
			if dead.Load() {
				return b
			}
			return a
		}
		ofAnna, ofBjorn := anywhere(anna.SessionID(), where), anywhere(bjorn.SessionID(), where)
		settle()
		a.set(icwssim.StateChange{User: "anna", StatusID: ptr("At Lunch")})
		a.setCloud(cloud, htccsim.StateChange{User: "bjorn", Channel: "chat", State: "Ready"})
		settle()
		ofAnna.heard()
		ofBjorn.heard()
		for _, id := range []string{anna.SessionID(), bjorn.SessionID()} {
			b.cookie(id)
		}
		dead.Store(true)
		toStore.cut.Store(true) // as far as the others can tell, a is dead
		for bjorn.leased.Load() {
			time.Sleep(100 * time.Millisecond)
		}
		ofAnna.hears("while nobody reads")
		a.setCloud(cloud, htccsim.StateChange{User: "bjorn", Channel: "chat", State: "NotReady"})
		time.Sleep(time.Minute) // in which held connects end
		b.cookie(bjorn.SessionID()).expectReads(t, "where the lease ran out", true)
		ofAnna.later("of a state that is as it was told")
		ofBjorn.later("of one that is not", "channels chat:NotReady")
	})
}

// A slowJournal takes its time to keep an event, and knows the mark of the last one.
type slowJournal struct {
	push.Journal
	takes atomic.Int64 // a time.Duration
	mark  atomic.Value
}

func (j *slowJournal) Append(ctx context.Context, owner string, e push.Entry) (uint64, error) {
	j.mark.Store(e.Mark)
	time.Sleep(time.Duration(j.takes.Load()))
	return j.Journal.Append(ctx, owner, e)
}

// Without a mark the next reader would tell the same again.
func TestAReaderThatStopsMarksWhatItToldLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet, cloud := newShared(), &htccsim.Server{}
		journal := &slowJournal{Journal: fleet.journal.End()}
		a, _ := fleet.tellerWith(t, cloud, journal)
		b, _ := fleet.teller(t, cloud)
		anna := a.login("anna")
		settle()
		b.cookie(anna.SessionID())
		desktop := anywhere(anna.SessionID(), inTurn(b)) // to which the lease has not followed it yet
		journal.takes.Store(int64(300 * time.Millisecond))
		a.set(icwssim.StateChange{User: "anna", StatusID: ptr("At Lunch")})
		time.Sleep(100 * time.Millisecond)
		a.Close(t.Context())
		desktop.later("a change just before the end of its reader", "device Active:NotReadyAt Lunch dnd:Off", "channels voice:NotReadyAt Lunch email:NotReadyAt Lunch")
		if journal.mark.Load() == "" {
			t.Error("the last notification bore no mark")
		}
	})
}

// A forgetfulJournal fails to take a mark so many times.
type forgetfulJournal struct {
	push.Journal
	fails atomic.Int64
}

func (j *forgetfulJournal) Mark(ctx context.Context, owner, mark string) (string, error) {
	if j.fails.Add(-1) >= 0 {
		return "", errCut
	}
	return j.Journal.Mark(ctx, owner, mark)
}

// learnsLater has a replica begin to read with a journal that fails it twice from the moment when fail is called. It
// must tell all the same what changed between the two readers.
func learnsLater(t *testing.T, journal func(push.Journal) (of push.Journal, fail func())) {
	synctest.Test(t, func(t *testing.T) {
		fleet, cloud := newShared(), &htccsim.Server{}
		a, _ := fleet.teller(t, cloud)
		failing, fail := journal(fleet.journal.End())
		b, _ := fleet.tellerWith(t, cloud, failing)
		anna := a.login("anna")
		settle()
		atB := b.cookie(anna.SessionID())
		desktop := anywhere(anna.SessionID(), inTurn(b))
		a.Close(t.Context())
		b.set(icwssim.StateChange{User: "anna", StatusID: ptr("At Lunch")})
		fail()
		settle()
		atB.expectReads(t, "once the other replica has stopped", true)
		settle()
		desktop.later("a change between two readers", "device Active:NotReadyAt Lunch dnd:Off", "channels voice:NotReadyAt Lunch email:NotReadyAt Lunch")
	})
}

func TestAReaderThatCouldNotLearnWhatWasToldDoesSoLater(t *testing.T) {
	learnsLater(t, func(of push.Journal) (push.Journal, func()) {
		journal := &forgetfulJournal{Journal: of}
		return journal, func() { journal.fails.Store(2) }
	})
}

// A busyJournal has something happen while it is told what a replica that begins to read shows.
type busyJournal struct {
	push.Journal
	meanwhile func()
}

func (j *busyJournal) Mark(ctx context.Context, owner, mark string) (string, error) {
	j.meanwhile()
	return j.Journal.Mark(ctx, owner, mark)
}

// What happened before a replica began to tell, and what happens while it begins, is told once and in order.
// TestWhoReadsAgainAfterItLeftItsLeaseIsNotTheFirst has an agent log in at one replica, whose lease follows the
// application to another. That stops soon after.
func TestWhoReadsAgainAfterItLeftItsLeaseIsNotTheFirst(t *testing.T) {
	for name, row := range map[string]struct {
		told, between string // what is set while the other reads, and while nobody does
		want          []string
	}{
		"nothing changes":                         {"", "", nil},
		"a change that the other tells":           {"At Lunch", "", nil},
		"a change that it tells, taken back then": {"Available", "Available, No ACD", []string{"device Active:NotReady dnd:Off", "channels voice:NotReady email:NotReady"}},
		"a change while nobody reads":             {"", "At Lunch", []string{"device Active:NotReadyAt Lunch dnd:Off", "channels voice:NotReadyAt Lunch email:NotReadyAt Lunch"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, _, a, b := twoTellers(t)
				anna := a.login("anna")
				settle()
				if row.told != "Available" {
					a.do(anna, "Ready", "")
					settle()
				}
				atB := b.cookie(anna.SessionID())
				var where atomic.Pointer[world]
				where.Store(b)
				desktop := anywhere(anna.SessionID(), where.Load)
				for !atB.leased.Load() {
					time.Sleep(100 * time.Millisecond)
				}
				time.Sleep(time.Second)
				if row.told != "" {
					a.set(icwssim.StateChange{User: "anna", StatusID: ptr(row.told)})
					time.Sleep(time.Second)
				}
				desktop.heard()
				where.Store(a)
				b.settings.Push.Close() // as a process that stops does first
				time.Sleep(100 * time.Millisecond)
				a.fault(icwssim.Fault{Route: routeUserAll, Delay: time.Second, Times: 1})
				b.Close(t.Context())
				if row.between != "" {
					a.set(icwssim.StateChange{User: "anna", StatusID: ptr(row.between)})
				}
				time.Sleep(20 * time.Second)
				desktop.hears("what is told once the first reads again", row.want...)
			})
		})
	}
}

// lateBell says a little later that listening stands, as a store does.
type lateBell struct{ session.Bell }

func (l lateBell) Hear(name string, heard func()) (stop func()) {
	deaf := l.Bell.Hear(name, heard)
	late := time.AfterFunc(20*time.Millisecond, heard)
	return func() {
		late.Stop()
		deaf()
	}
}

// A lease that is left to another replica is not taken back on hearing what this one said itself.
func TestALeaseThatIsLeftIsNotTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, _ := fleet.replica(t, func(s *Settings, _ *Site) { s.Fleet.Bell = lateBell{s.Fleet.Bell} })
		anna := a.login("anna")
		settle()
		lease, err := fleet.leases.Take(t.Context(), preferenceOf("anna"), "another", time.Minute)
		if err != nil || !lease.Held {
			t.Fatalf("the wish is %+v, %v", lease, err)
		}
		for anna.leased.Load() {
			time.Sleep(10 * time.Millisecond)
		}
		for range 400 {
			time.Sleep(10 * time.Millisecond)
			if anna.leased.Load() {
				t.Fatal("who left the lease reads again before the other has looked")
			}
		}
	})
}

// A desktop that comes after a quiet quarter of an hour reads a state of which nothing was told to anybody since, and
// the journal has forgotten what was.
func TestAChangeBetweenTwoReadersIsToldWhereTheMarkIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet, cloud := newShared(), &htccsim.Server{}
		a, toStore := fleet.teller(t, cloud)
		b, _ := fleet.teller(t, cloud)
		anna := a.login("anna")
		a.shows(anna)
		settle()
		atB := b.cookie(anna.SessionID())
		b.shows(atB)
		a.do(anna, "Ready", "")
		for range 15 {
			time.Sleep(time.Minute)
			a.shows(anna)
			b.shows(b.cookie(anna.SessionID()))
		}
		fleet.journal.Flush()
		desktop := anywhere(anna.SessionID(), inTurn(b))
		a.expect(anna, "what the desktop reads", showsReady)
		time.Sleep(10 * time.Second)
		anna.expectReads(t, "where the agent logged in", true)
		toStore.cut.Store(true)
		for anna.leased.Load() {
			time.Sleep(100 * time.Millisecond)
		}
		b.do(atB, "NotReady", "") // as at the log-in
		time.Sleep(time.Minute)
		atB.expectReads(t, "once the lease ran out", true)
		if heard := desktop.heard(); len(heard) == 0 {
			t.Error("nothing is told of a change while nobody read")
		}
	})
}

func TestAChangeWhileAReplicaBeginsToReadIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet, cloud := newShared(), &htccsim.Server{}
		a, _ := fleet.teller(t, cloud)
		journal := &busyJournal{Journal: fleet.journal.End(), meanwhile: func() {}}
		b, _ := fleet.tellerWith(t, cloud, journal)
		anna := a.login("anna")
		settle()
		a.do(anna, "Ready", "")
		settle()
		desktop := anywhere(anna.SessionID(), inTurn(b))
		settle()
		desktop.heard()
		journal.meanwhile = func() {
			journal.meanwhile = func() {}
			_, err := journal.Journal.Mark(t.Context(), anna.SessionID(), "what was told before another change")
			if err != nil {
				t.Error(err)
			}
			b.set(icwssim.StateChange{User: "anna", StatusID: ptr("At Lunch")})
			settle()
		}
		a.Close(t.Context())
		time.Sleep(leaseLife)
		desktop.later("a change while a replica begins to read", "device Active:Ready dnd:Off", "channels voice:Ready email:Ready",
			"device Active:NotReadyAt Lunch dnd:Off", "channels voice:NotReadyAt Lunch email:NotReadyAt Lunch")
	})
}

func TestSitesAreToldOfOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, a, b := twoTellers(t)
		anna := a.login("anna")
		settle()
		desktop := anywhere(anna.SessionID(), inTurn(a, b))
		settle()
		desktop.heard()
		a.tellServices("pureconnect", false)
		b.tellServices("pureconnect", false)
		desktop.later("two replicas see a site go", "services pureconnect:Inactive")
	})
}

func TestAnEndReachesDesktopsAtOtherReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, a, b := twoTellers(t)
		anna := a.login("anna")
		settle()
		desktop := anywhere(anna.SessionID(), inTurn(b))
		err := a.EndContactCenterSession(t.Context(), anna)
		if err != nil {
			t.Fatal(err)
		}
		if got := desktop.ending(); got != "none" {
			t.Errorf("the desktop ended with %q; want advice none", got)
		}
	})
}

// The lease follows applications that stay, and not those that a load balancer sends around.
func TestTheReaderFollowsApplicationsThatStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, a, b := twoTellers(t)
		anna := a.login("anna")
		settle()
		moving := anywhere(anna.SessionID(), inTurn(a, b))
		atB := b.cookie(anna.SessionID())
		for range 60 {
			time.Sleep(leaseEvery)
			synctest.Wait()
			anna.expectReads(t, "applications go to and fro", true)
		}
		moving.leave()
		anywhere(anna.SessionID(), inTurn(b))
		time.Sleep(staysAfter + 4*leaseEvery)
		synctest.Wait()
		atB.expectReads(t, "where applications stay", true)
		anna.expectReads(t, "where there are none", false)
	})
}

// A site shows a change before it notifies of it: a replica that begins to read between the two tells of it once.
func TestAChangeThatIsOnItsWayIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet, cloud := newShared(), &htccsim.Server{}
		a, _ := fleet.teller(t, cloud)
		bjorn := a.login("bjorn")
		settle()
		a.posted(bjorn, "", startTwo)
		time.Sleep(time.Second)
		desktop := anywhere(bjorn.SessionID(), inTurn(a))
		settle()
		desktop.heard()
		part := bjorn.parts[0].(*htccPart)
		message := func(state string) {
			part.receiveMessage("/v2/me/channels", []byte(`{"messageType":"ChannelStateChangeMessageV2","channels":[{"channel":"chat","userState":{"id":"1","displayName":"`+state+`","state":"`+state+`"}}]}`))
		}
		message("Ready")
		desktop.later("a change", "channels chat:Ready/no dndState")
		bjorn.takeOver(t.Context())
		message("Ready")
		desktop.later("the same, shortly after another replica may have told of it")
		message("NotReady")
		desktop.later("another change", "channels chat:NotReady/no dndState")
		time.Sleep(2 * settledAfter)
		message("NotReady")
		desktop.later("the same, as the site repeats it", "channels chat:NotReady/no dndState")
	})
}

func TestDoNotDisturbSetBetweenTwoReadersIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet, cloud := newShared(), &htccsim.Server{}
		a, line := fleet.teller(t, cloud)
		b, _ := fleet.teller(t, cloud)
		p := newPair(t, a, b, "bjorn", false)
		b.shows(p.atB)
		a.posted(p.atA, "", startTwo)
		a.posted(p.atA, "", `{"operationName":"NotReady"}`)
		settle()
		desktop := anywhere(p.atA.SessionID(), func() *world { return b })
		settle()
		line.cut.Store(true)
		time.Sleep(leaseLife - time.Second)
		desktop.heardWhole()
		b.posted(p.atB, "", `{"operationName":"DoNotDisturbOn"}`)
		time.Sleep(time.Minute)
		told := strings.Join(desktop.heardWhole(), "\n")
		p.atB.expectReads(t, "B", true)
		if !strings.Contains(told, `"dndState":"On"`) {
			t.Errorf("told %s; want do-not-disturb of the channels too", told)
		}
	})
}
