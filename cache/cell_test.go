package cache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

func TestThousandGetsAreOneFetch(t *testing.T) {
	const gets, together = 1000, 100
	synctest.Test(t, func(t *testing.T) {
		up := after(time.Second, "Available")
		cell, reg := newCell(t, up)
		places := make(chan struct{}, together)
		var group sync.WaitGroup
		for range gets {
			places <- struct{}{}
			group.Go(func() {
				defer func() { <-places }()
				got, err := cell.Get(t.Context())
				if err != nil || got.names[0] != "Available" {
					t.Errorf("Get = %v, %v; want the list", got, err)
				}
			})
		}
		group.Wait()

		if got := up.calls.Load(); got != 1 {
			t.Errorf("%d fetches for %d Gets; want 1", got, gets)
		}
		counted := map[Result]float64{}
		for result := Hit; result <= Failed; result++ {
			counted[result] = lookups(t, reg, result)
		}
		want := map[Result]float64{Hit: gets - together, StaleHit: 0, Coalesced: together - 1, Miss: 1, Bypass: 0, Failed: 0}
		if diff := cmp.Diff(want, counted); diff != "" {
			t.Errorf("look-ups counted (-want +got):\n%s", diff)
		}
		if got := number(t, reg, "portico_catalogue_fetches_total", "cause", "first_need", "outcome", "ok"); got != 1 {
			t.Errorf("fetches counted = %v; want 1", got)
		}
		if got := number(t, reg, "portico_catalogue_repeat_fetches_total"); got != 0 {
			t.Errorf("repeat fetches = %v; want 0", got)
		}
	})
}

func TestOneFetchASessionWhateverTheFormsDrop(t *testing.T) {
	const sessions, rounds, formBytes, room = 200, 20, 1000, 10
	reg := prometheus.NewRegistry()
	metrics := NewMetrics(reg, site)
	forms, err := NewForms(FormsOptions{Cache: Catalogue, MaxBytes: room * formBytes, Metrics: metrics})
	if err != nil {
		t.Fatal(err)
	}
	defer forms.Close()
	up := always("Available")
	var cells [sessions]*Cell[list]
	for session := range cells {
		cells[session] = NewCell(t.Context(), CellOptions[list]{Cache: Catalogue, Site: site, Fetch: up.fetch, Metrics: metrics})
	}
	for range rounds { // one after the other, or a session could have all of its own before the next begins
		var group sync.WaitGroup
		for session, cell := range cells {
			group.Go(func() {
				got, err := cell.Get(t.Context())
				if err != nil {
					t.Errorf("Get: %v", err)
					return
				}
				form, err := forms.Get(fmt.Sprintf("json of session %d", session), func() ([]byte, error) {
					return append([]byte(got.names[0]), make([]byte, formBytes-len(got.names[0]))...), nil
				})
				if err != nil || len(form) != formBytes {
					t.Errorf("form of %d bytes, %v; want %d", len(form), err, formBytes)
				}
			})
		}
		group.Wait()
	}
	if got := up.calls.Load(); got != sessions {
		t.Errorf("%d fetches for %d sessions; want one each", got, sessions)
	}
	if got := forms.Size(); got > room*formBytes {
		t.Errorf("forms hold %d bytes; want at most %d", got, room*formBytes)
	}
	encoded := number(t, reg, "portico_cache_sets_total")
	if encoded <= sessions {
		t.Errorf("%v forms encoded; the test wants more than %d, or nothing was dropped", encoded, sessions)
	}
	if got := number(t, reg, "portico_catalogue_repeat_fetches_total"); got != 0 {
		t.Errorf("repeat fetches = %v; want 0", got)
	}
}

func TestCallerWhoGivesUpLeavesTheOthersAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := after(5*time.Second, "Available")
		cell, reg := newCell(t, up)
		impatient, giveUp := context.WithTimeout(t.Context(), time.Second)
		defer giveUp()

		started := time.Now()
		var group sync.WaitGroup
		group.Go(func() { // the impatient one leads the flight
			_, err := cell.Get(impatient)
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(started) != time.Second {
				t.Errorf("impatient Get = %v after %v; want its own deadline after 1s", err, time.Since(started))
			}
		})
		synctest.Wait()
		group.Go(func() {
			got, err := cell.Get(t.Context())
			if err != nil || time.Since(started) != 5*time.Second {
				t.Errorf("patient Get = %v, %v after %v; want the list after 5s", got, err, time.Since(started))
			}
		})
		group.Wait()
		if got := up.calls.Load(); got != 1 {
			t.Errorf("%d fetches; want 1", got)
		}
		if got := lookups(t, reg, Failed); got != 1 {
			t.Errorf("look-ups without a value = %v; want the impatient one", got)
		}
		if got := lookups(t, reg, Coalesced); got != 1 {
			t.Errorf("look-ups coalesced = %v; want the patient one", got)
		}
	})
}

func TestLookupTellsWhatItCostAndHowOldTheValueIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cell, _ := newCell(t, always("Available"))
		look := func(want Result, wantAge time.Duration) {
			t.Helper()
			got, result, err := cell.Lookup(t.Context())
			if err != nil || result != want || got.Age() != wantAge || got.Stale() != (wantAge > 0) {
				t.Errorf("Lookup = %v, age %v, stale %v, %v; want %v, age %v", result, got.Age(), got.Stale(), err, want, wantAge)
			}
		}
		if held, ok := cell.Snapshot(); ok {
			t.Errorf("Snapshot of an empty cell = %v; want none", held)
		}
		look(Miss, 0)
		look(Hit, 0)
		cell.Unproven()
		time.Sleep(3 * time.Second)
		look(StaleHit, 3*time.Second)
		if held, ok := cell.Snapshot(); !ok || held.Age() != 3*time.Second {
			t.Errorf("Snapshot = %v, %v; want one of age 3s", held, ok)
		}
		cell.Drop()
		_, result, err := cell.Lookup(t.Context())
		if result != Failed || !errors.Is(err, ErrClosed) {
			t.Errorf("Lookup after Drop = %v, %v; want error, ErrClosed", result, err)
		}
	})
}

func TestEqualValuesOfTwoCellsAreOneObject(t *testing.T) {
	interner := NewInterner(digestOf)
	intern := func(opts *CellOptions[list]) { opts.Intern = interner.Of }
	one, _ := newCell(t, always("Available"), intern)
	other, _ := newCell(t, always("Available"), intern)
	first, err := one.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second, err := other.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if first != second {
		t.Error("two cells hold equal values at two addresses; want one")
	}
}

func TestHitsAllocateNothing(t *testing.T) {
	cell, _ := newCell(t, always("Available"))
	names(t, cell)
	ctx := t.Context()
	if got := testing.AllocsPerRun(1000, func() { _, _ = cell.Get(ctx) }); got != 0 {
		t.Errorf("Cell.Get allocates %v times; want 0", got)
	}
	forms, _ := newForms(t, 1<<20)
	p := &press{size: 100}
	get(t, forms, "json", p)
	encode := p.encode
	if got := testing.AllocsPerRun(1000, func() { _, _ = forms.Get("json", encode) }); got != 0 {
		t.Errorf("Forms.Get allocates %v times; want 0", got)
	}
}

func BenchmarkCellGet(b *testing.B) {
	cell, _ := newCell(b, always("Available"))
	ctx := b.Context()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := cell.Get(ctx); err != nil {
				b.Error(err)
			}
		}
	})
}
