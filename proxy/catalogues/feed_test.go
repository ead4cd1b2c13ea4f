package catalogues

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"portico/cache"
	"portico/translate"
	"portico/translate/icwsapi"
)

// newSeenFeed returns a feed, and how many states the catalogue has had each time that agents saw another.
func newSeenFeed(t *testing.T) (*Feed, *[]int) {
	cell := cache.NewCell(t.Context(), cache.CellOptions[translate.Catalogue]{Cache: cache.Catalogue, Site: "pureconnect",
		Fetch: func(context.Context) (*translate.Catalogue, error) { return nil, errors.New("nobody fetches") }})
	var seen []int
	return NewFeed(NewMaker("pureconnect"), cell, func() {
		held, _ := cell.Snapshot()
		seen = append(seen, len(held.Value.Messages()))
	}), &seen
}

// statuses is a message of a full catalogue, or of what may be the rest of one.
func statuses(full bool, ids ...string) icwsapi.StatusMessagesMessage {
	m := icwsapi.StatusMessagesMessage{Head: icwsapi.Head{IsDelta: !full}}
	for _, id := range ids {
		m.StatusMessagesAdded = append(m.StatusMessagesAdded, icwsapi.StatusMessage{StatusID: id})
	}
	return m
}

// The parts of a catalogue come while the time of an earlier one runs out.
func TestACatalogueIsNotSeenBeforeItsPartsHaveCome(t *testing.T) {
	for name, first := range map[string]func(*Feed){
		"after one that was whole":      (*Feed).Arrived,
		"after one that was broken off": (*Feed).Reset,
		"after one that it replaces":    func(*Feed) {},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, seen := newSeenFeed(t)
				f.Take(statuses(true, "Available", "At Lunch", "Gone Home", "Away"))
				first(f)
				*seen = nil
				time.Sleep(partsWithin * 4 / 5)
				f.Take(statuses(true, "Available", "At Lunch"))
				time.Sleep(partsWithin * 2 / 5)
				f.Take(statuses(false, "Gone Home", "Away"))
				time.Sleep(2 * partsWithin)
				synctest.Wait()
				if !slices.Equal(*seen, []int{4}) {
					t.Errorf("agents saw catalogues of %v states; want one of 4", *seen)
				}
			})
		})
	}
}
