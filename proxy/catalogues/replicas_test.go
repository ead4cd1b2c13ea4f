package catalogues

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"portico/cache"
	"portico/proxy/session"
	"portico/translate"
)

// A board is a shelf that may lose what it has, or not answer.
type board struct {
	cache.Shelf
	away bool
}

func (b *board) Purge(ctx context.Context, owner, part string) (int64, error) {
	if b.away {
		return 0, errors.New("no answer")
	}
	return b.Shelf.Purge(ctx, owner, part)
}

// newReplica returns one of several with a shelf, and how often its catalogues were purged.
func newReplica(shelf cache.Shelf, leases session.Leases, name string) (*Replicas, *int) {
	purged := 0
	r := NewReplicas(Sharing{Shelf: shelf, Leases: leases, Me: name, Log: slog.New(slog.DiscardHandler),
		Held: func() map[*translate.Catalogue]string { return nil }})
	r.Add(Site{Name: "pureconnect", Purge: func(context.Context, string) (int, error) { purged++; return 1, nil }})
	return r, &purged
}

// TestAPurgeIsNotForgotten has the shelf lose that there was one: a replica that starts then is to refuse what the others
// do, and to have what they have.
func TestAPurgeIsNotForgotten(t *testing.T) {
	shelf, leases := &board{Shelf: cache.NewMemoryShelf()}, session.NewMemoryLeases()
	older, _ := newReplica(shelf, leases, "older")
	_, err := older.Purge(t.Context(), "pureconnect", "")
	if err != nil {
		t.Fatal(err)
	}
	shelf.Shelf = cache.NewMemoryShelf()
	older.keepInStep(t.Context())
	newer, purged := newReplica(shelf, leases, "newer")
	newer.keepInStep(t.Context())
	if got, want := newer.Epoch("pureconnect", "de"), older.Epoch("pureconnect", "de"); got != want || got == 0 {
		t.Errorf("the newer replica is in epoch %d; want %d, as the older", got, want)
	}
	if *purged != 0 {
		t.Error("a replica that has just started purges for the others' sake")
	}
}

// TestAPurgeThatCouldNotBeTold has it be made good once the shelf answers.
func TestAPurgeThatCouldNotBeTold(t *testing.T) {
	shelf, leases := &board{Shelf: cache.NewMemoryShelf()}, session.NewMemoryLeases()
	a, purgedHere := newReplica(shelf, leases, "a")
	b, purged := newReplica(shelf, leases, "b")
	a.keepInStep(t.Context())
	b.keepInStep(t.Context())
	shelf.away = true
	_, err := a.Purge(t.Context(), "pureconnect", "de")
	if !errors.Is(err, ErrUntold) || *purgedHere != 1 {
		t.Errorf("Purge: %v, %d purged here; want %v and 1", err, *purgedHere, ErrUntold)
	}
	shelf.away = false
	for range 2 {
		a.keepInStep(t.Context())
		b.keepInStep(t.Context())
	}
	if *purged != 1 || *purgedHere != 1 {
		t.Errorf("purged %d times elsewhere and %d times here; want once each", *purged, *purgedHere)
	}
	if a.Epoch("pureconnect", "de") == 0 || a.Epoch("pureconnect", "fr") != 0 {
		t.Errorf("epochs %d of the language and %d of another; want a new one of the first alone", a.Epoch("pureconnect", "de"), a.Epoch("pureconnect", "fr"))
	}
}
