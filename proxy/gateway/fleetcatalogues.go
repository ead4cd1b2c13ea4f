package gateway

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"portico/cache"
	"portico/translate"
	"portico/translate/icwsapi"
)

// fleetCatalogues are what replicas have of each other's catalogues. Where each session has a catalogue of
// its own, its record says which, and what is in it is kept once for all sessions that have the same.
// Where sessions share one, it is kept for all who are at one host in one language, as long as one replica
// proves it. Either way it is fetched by one replica, and the others take it from the shelf. Any number of
// goroutines may use it.
type fleetCatalogues struct {
	cache.Shelf
	fleet *fleet
	news  chan struct{} // has room for one: what is proven here has changed

	work    sync.Mutex        // held while purging, and while in step with the other replicas
	remotes map[stand]*remote // guarded by work

	mu     sync.Mutex
	epochs map[string]map[string]int64 // by site and language; guarded by mu
}

func newFleetCatalogues(f *fleet) *fleetCatalogues {
	return &fleetCatalogues{Shelf: f.Shelf, fleet: f, news: make(chan struct{}, 1), remotes: map[stand]*remote{}, epochs: map[string]map[string]int64{}}
}

const (
	// contentLife is how long a catalogue is kept that sessions have, beyond its last use. Replicas that
	// use it say so every contentEvery.
	contentLife  = time.Hour
	contentEvery = 10 * time.Minute
)

func contentName(site, version string) string { return "content/" + site + "/" + version }

// content returns a catalogue of that version, or cache.ErrNoCopy.
func (c *fleetCatalogues) content(ctx context.Context, site, version string) (*translate.Catalogue, error) {
	kept, err := c.Get(ctx, contentName(site, version), "")
	if err != nil {
		return nil, err
	}
	return catalogueOf(site, kept.Text)
}

// keepContent has a catalogue be found by its version.
func (c *fleetCatalogues) keepContent(ctx context.Context, site string, catalogue *translate.Catalogue) error {
	return c.keep(ctx, contentName(site, versionOf(catalogue)), catalogue, 0, contentLife)
}

// keep has a catalogue be found under a name, of which little is sent if it is there already.
func (c *fleetCatalogues) keep(ctx context.Context, name string, catalogue *translate.Catalogue, epoch int64, life time.Duration) error {
	version := versionOf(catalogue)
	there, err := c.Renew(ctx, name, version, epoch, life)
	if err != nil || there {
		return err
	}
	return c.Put(ctx, name, cache.Copy{Text: encodedCatalogue(catalogue), Version: version, Epoch: epoch}, life)
}

// versionOf tells catalogues apart at all replicas.
func versionOf(catalogue *translate.Catalogue) string {
	digest := catalogue.Digest()
	return hex.EncodeToString(digest[:])
}

func encodedCatalogue(catalogue *translate.Catalogue) []byte {
	text, err := json.Marshal(catalogue.Messages())
	if err != nil {
		panic("gateway: encode a catalogue: " + err.Error())
	}
	return text
}

func catalogueOf(site string, text []byte) (*translate.Catalogue, error) {
	var messages []icwsapi.StatusMessage
	err := json.Unmarshal(text, &messages)
	if err != nil {
		return nil, err
	}
	return translate.NewCatalogue(site, messages), nil
}

// epoch returns that of the last purge of a site's catalogues in a language.
func (c *fleetCatalogues) epoch(site, language string) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	of := c.epochs[site]
	return max(of[""], of[strings.ToLower(language)])
}

// begins notes the epochs of a site, and returns the languages in which one has begun since the last look.
func (c *fleetCatalogues) begins(site string, epochs map[string]int64) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	before, looked := c.epochs[site]
	if before == nil {
		before = map[string]int64{}
		c.epochs[site] = before
	}
	var languages []string
	for language, epoch := range epochs {
		if looked && epoch > before[language] {
			languages = append(languages, language)
		}
		before[language] = max(before[language], epoch)
	}
	return languages
}

// purgeAll purges here, and has the other replicas do so.
func (c *fleetCatalogues) purgeAll(ctx context.Context, at *icwsSite, language string) (int, error) {
	c.work.Lock()
	defer c.work.Unlock()
	part := strings.ToLower(language)
	epoch, untold := c.Purge(ctx, at.Name, part)
	if untold == nil {
		c.begins(at.Name, map[string]int64{part: epoch})
	}
	purged, err := c.purgeHere(ctx, at, language)
	if err == nil && untold != nil {
		err = storeDown(untold)
	}
	return purged, err
}

// purgeHere also forgets what other replicas prove: it may be what the purge is to mend.
func (c *fleetCatalogues) purgeHere(ctx context.Context, at *icwsSite, language string) (int, error) {
	for of, one := range c.remotes {
		if of.site == at.Name && inLanguage(language, of.language) {
			c.forget(at, of, one)
		}
	}
	return c.fleet.gateway.purge(ctx, at, language)
}

// gone reports whether the shelf says that nothing is kept, rather than that it does not answer.
func gone(err error) bool { return errors.Is(err, cache.ErrNoCopy) }
