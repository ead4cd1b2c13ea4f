package cache

import (
	"context"
	"slices"
	"testing"
)

// A value that another process has fetched costs no call, and so is counted as none.
func TestWhatOthersHaveFetchedIsNotFetched(t *testing.T) {
	elsewhere := &list{[]string{"Available"}}
	up := always("At Lunch")
	cell, reg := newCell(t, up, func(opts *CellOptions[list]) {
		opts.Share = func(ctx context.Context, fetch func(context.Context) (*list, error)) (*list, error) {
			if elsewhere != nil {
				return elsewhere, nil
			}
			return fetch(ctx)
		}
	})
	if got := names(t, cell); !slices.Equal(got, []string{"Available"}) || up.calls.Load() != 0 {
		t.Errorf("Get = %q after %d fetches; want what others have, after none", got, up.calls.Load())
	}
	if n := number(t, reg, "portico_catalogue_fetches_total"); n != 0 || lookups(t, reg, Coalesced) != 1 {
		t.Errorf("%v fetches and %v shared look-ups are counted; want none and one", n, lookups(t, reg, Coalesced))
	}
	elsewhere = nil
	cell.Purge()
	if got := names(t, cell); !slices.Equal(got, []string{"At Lunch"}) {
		t.Errorf("Get = %q where nobody else has it; want what the fetch brings", got)
	}
	if n := number(t, reg, "portico_catalogue_fetches_total"); n != 1 {
		t.Errorf("%v fetches are counted; want 1", n)
	}
}
