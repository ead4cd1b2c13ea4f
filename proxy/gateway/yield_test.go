package gateway

import (
	"testing"
	"testing/synctest"
	"time"
)

// A replica that left its lease to another, at which applications wait, takes it back once that one stops.
func TestWhoLeftItsLeaseReadsAgainAtOnceWhenTheOtherStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, a, b := twoTellers(t)
		anna := a.login("anna")
		settle()
		atB := b.cookie(anna.SessionID())
		anywhere(anna.SessionID(), inTurn(b))
		for !atB.leased.Load() {
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(time.Second)
		b.Close(t.Context())
		synctest.Wait()
		anna.expectReads(t, "once the only other replica has stopped", true)
	})
}

// TestWhoReadsForASessionKeepsItsLeaseWhenTheOneBeforeEnds has an agent's session end elsewhere than it is read, and the
// agent log in again there before that is found out.
func TestWhoReadsForASessionKeepsItsLeaseWhenTheOneBeforeEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet := newShared()
		a, _ := fleet.replica(t)
		b, _ := fleet.replica(t)
		before := a.login("anna")
		settle()
		before.expectReads(t, "where the agent logged in", true)
		time.Sleep(leaseEvery - time.Second)
		b.end(b.cookie(before.SessionID()), endByAgent)
		anna := a.login("anna")
		synctest.Wait()
		anna.expectReads(t, "where the agent logged in again", true)
		time.Sleep(2 * time.Second) // the end is found out
		if before.leased.Load() {
			t.Error("the session of before is read")
		}
		atB := b.cookie(anna.SessionID())
		for range 200 {
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
			if anna.leased.Load() && atB.leased.Load() {
				t.Fatal("two replicas read for one session")
			}
		}
		anna.expectReads(t, "once the session of before is found to be over", true)
		atB.expectReads(t, "elsewhere", false)
		a.end(anna, endByAgent)
		again := b.login("anna")
		settle()
		again.expectReads(t, "once its reader has ended, at the other replica", true)
	})
}
