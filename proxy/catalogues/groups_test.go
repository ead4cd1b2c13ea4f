package catalogues

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"portico/translate"
	"portico/translate/icwsapi"
)

var (
	here      = Place{"https://ic1.example:8019", "en-us"}
	otherHost = Place{"https://ic2.example:8019", "en-us"}
)

// one returns a catalogue of a single status.
func one(statusID string) *translate.Catalogue {
	return translate.NewCatalogue("pureconnect", []icwsapi.StatusMessage{{StatusID: statusID}})
}

// A seat is a member, and how often it was given something.
type seat struct {
	*Member
	t     *testing.T
	given int
}

func newSeat(t *testing.T) *seat {
	s := &seat{t: t}
	s.Member = &Member{Cell: NewGivenCell(t.Context(), "pureconnect", func(c *translate.Catalogue) *translate.Catalogue { return c }),
		Changed: func() { s.given++ }}
	return s
}

// holds holds what a member has: a catalogue with a status, and whether it is known to be what the site has.
func (s *seat) holds(when, statusID string, stale bool) {
	s.t.Helper()
	held, any := s.Cell.Snapshot()
	switch {
	case !any && statusID != "":
		s.t.Errorf("%s: nothing is held; want %q", when, statusID)
	case any && (held.Value.Messages()[0].StatusID != statusID || held.Stale() != stale):
		s.t.Errorf("%s: %q, stale %v; want %q, %v", when, held.Value.Messages()[0].StatusID, held.Stale(), statusID, stale)
	}
}

func TestOneProvesForTheOthers(t *testing.T) {
	g := NewGroups()
	a, b, c, elsewhere := newSeat(t), newSeat(t), newSeat(t), newSeat(t)
	for _, s := range []*seat{a, b, c} {
		g.Join(s.Member, here)
	}
	g.Join(elsewhere.Member, otherHost)
	a.Cell.Replace(one("Available"))
	g.Prove(a.Member)
	b.holds("one proves", "Available", false)
	elsewhere.holds("at another host", "", false)

	a.Cell.Replace(one("At Sea"))
	g.Prove(a.Member)
	b.holds("a change", "At Sea", false)
	if b.given != 2 {
		t.Errorf("a member was told of %d catalogues; want 2", b.given)
	}

	b.Cell.Replace(one("Older"))
	g.Prove(b.Member)
	c.holds("a slower stream proves an older one", "At Sea", false)

	b.Cell.Replace(one("At Play"))
	g.Doubt(a.Member)
	c.holds("the first doubts, and the next proves", "At Play", false)
	a.holds("who doubts relies on the next", "At Play", false)

	g.Leave(b.Member)
	c.holds("nobody proves", "At Play", true)
	if got := g.Current(here); got != nil {
		t.Errorf("%v is current where nobody proves", got.Messages())
	}
}

// TestOneFetchesForTheOthers has members need a catalogue that nobody has proven yet.
func TestOneFetchesForTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGroups()
		leader, waits := newSeat(t), newSeat(t)
		g.Join(leader.Member, here)
		g.Join(waits.Member, here)
		g.Await(t.Context(), leader.Member) // it is to fetch, at once
		began := time.Now()
		time.AfterFunc(time.Second, func() {
			leader.Cell.Replace(one("Available"))
			g.Prove(leader.Member)
		})
		g.Await(t.Context(), waits.Member)
		waits.holds("the leader has fetched", "Available", false)
		if took := time.Since(began); took != time.Second {
			t.Errorf("the other waited for %v; want until the leader had fetched", took)
		}

		late, failed := newSeat(t), newSeat(t)
		g.Join(failed.Member, otherHost)
		g.Join(late.Member, otherHost)
		g.Await(t.Context(), failed.Member)
		began = time.Now()
		time.AfterFunc(time.Second, func() { g.Doubt(failed.Member) })
		g.Await(t.Context(), late.Member)
		if took := time.Since(began); took != time.Second {
			t.Errorf("the other waited for %v; want to be the leader when the first has failed", took)
		}

		hangs, patient := newSeat(t), newSeat(t)
		third := Place{"https://ic3.example:8019", "en-us"}
		g.Join(hangs.Member, third)
		g.Join(patient.Member, third)
		g.Await(t.Context(), hangs.Member)
		began = time.Now()
		g.Await(t.Context(), patient.Member)
		if took := time.Since(began); took != ProofWithin {
			t.Errorf("behind a leader that hangs the other waited for %v; want %v", took, ProofWithin)
		}
	})
}

// TestAnotherReplicaProves has what another replica proves give way to what is proven here.
func TestAnotherReplicaProves(t *testing.T) {
	g := NewGroups()
	a, b, remote := newSeat(t), newSeat(t), newSeat(t)
	g.Join(a.Member, here)
	g.Join(b.Member, here)
	remote.Cell.Replace(one("Available"))
	g.proveElsewhere(here, remote.Member)
	a.holds("another replica proves", "Available", false)
	if proofs := g.proofs(); len(proofs) != 1 || proofs[here] != nil {
		t.Errorf("proven here are %v; want nothing", proofs)
	}
	a.Cell.Replace(one("At Sea"))
	g.Prove(a.Member)
	b.holds("and one here", "At Sea", false)
	g.forget(remote.Member)
	g.Doubt(a.Member)
	b.holds("neither does any more", "At Sea", true)
}

func TestRenewal(t *testing.T) {
	g := NewGroups()
	a, b := newSeat(t), newSeat(t)
	g.Join(a.Member, here)
	g.Join(b.Member, here)
	a.Cell.Replace(one("Available"))
	g.Prove(a.Member)
	a.Renew = func(context.Context) error { a.Cell.Replace(one("At Sea")); return nil }
	if found := g.Proven("de"); len(found) != 0 {
		t.Errorf("%d groups in a language that nobody has", len(found))
	}
	found := g.Proven("EN-US")
	if len(found) != 1 || found[0].Size() != 2 || !found[0].Has(b.Member) {
		t.Fatalf("groups %+v; want one of both", found)
	}
	err := found[0].Renew(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.holds("once it was read anew", "At Sea", false)
}
