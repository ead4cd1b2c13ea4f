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
		for !atB.reads.Load() {
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(time.Second)
		b.Close(t.Context())
		synctest.Wait()
		anna.expectReads(t, "once the only other replica has stopped", true)
	})
}
