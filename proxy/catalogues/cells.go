package catalogues

import (
	"context"
	"errors"

	"portico/cache"
	"portico/translate"
)

// ErrNoFetch is that of a cell which is given its catalogue, and fetches none.
var ErrNoFetch = errors.New("catalogues: what is told, or proven elsewhere, is not fetched")

// NewGivenCell returns the cell of a catalogue that is given to it and never fetched, until life ends. What is equal
// to another of the site intern makes the same.
func NewGivenCell(life context.Context, site string, intern func(*translate.Catalogue) *translate.Catalogue) *cache.Cell[translate.Catalogue] {
	return cache.NewCell(life, cache.CellOptions[translate.Catalogue]{Cache: cache.Catalogue, Site: site, Intern: intern,
		Fetch: func(context.Context) (*translate.Catalogue, error) { return nil, ErrNoFetch }})
}
