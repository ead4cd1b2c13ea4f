package gateway

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/proxy/push"
)

// An unsaidJournal carries out what it is asked about a mark, and does not say so, so many times.
type unsaidJournal struct {
	push.Journal
	unsaid atomic.Int64
}

func (j *unsaidJournal) Mark(ctx context.Context, owner, mark string) (string, error) {
	before, err := j.Journal.Mark(ctx, owner, mark)
	if j.unsaid.Add(-1) >= 0 {
		return "", errCut
	}
	return before, err
}

// A replica that begins to read must not take a mark of its own for that of the one before.
func TestAReaderThatGotNoAnswerLearnsLaterWhatWasTold(t *testing.T) {
	learnsLater(t, func(of push.Journal) (push.Journal, func()) {
		journal := &unsaidJournal{Journal: of}
		return journal, func() { journal.unsaid.Store(2) }
	})
}

// What is told of one topic while it is not known what was told before says nothing of the other.
func TestANotificationDoesNotHideAnotherChangeBetweenTwoReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fleet, cloud := newShared(), &htccsim.Server{}
		a, toStore := fleet.teller(t, cloud)
		journal := &forgetfulJournal{Journal: fleet.journal.End()}
		b, _ := fleet.tellerWith(t, cloud, journal)
		cleo := a.login("cleo")
		settle()
		a.posted(cleo, "", startAll)
		time.Sleep(time.Second)
		atB := b.cookie(cleo.SessionID())
		desktop := anywhere(cleo.SessionID(), inTurn(b))
		settle()
		toStore.cut.Store(true) // as far as the others can tell, a is dead
		for cleo.leased.Load() {
			time.Sleep(100 * time.Millisecond)
		}
		a.set(icwssim.StateChange{User: "cleo", StatusID: ptr("At Lunch")})
		desktop.heard()
		journal.fails.Store(1)
		for !atB.leased.Load() || journal.fails.Load() > 0 {
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(500 * time.Millisecond)
		b.setCloud(cloud, htccsim.StateChange{User: "cleo", Channel: "chat", State: "Ready"})
		time.Sleep(time.Minute)
		got := desktop.heard()
		devices := slices.DeleteFunc(slices.Clone(got), func(one string) bool { return !strings.HasPrefix(one, "device") })
		if want := []string{"device Active:NotReadyAt Lunch dnd:Off"}; !slices.Equal(devices, want) {
			t.Errorf("told %q; want %q among it, once", got, want)
		}
	})
}
