package catalogues

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"portico/cache"
	"portico/proxy/session"
	"portico/translate"
	"portico/translate/icwsapi"
)

// Replicas are what replicas have of each other's catalogues. Where each session has a catalogue of
// its own, its record says which, and what is in it is kept once for all sessions that have the same.
// Where sessions share one, it is kept for all who are at one host in one language, as long as one replica
// proves it. Either way it is fetched by one replica, and the others take it from the shelf. Any number of
// goroutines may use it.
type Replicas struct {
	Sharing
	sites []Site
	news  chan struct{} // has room for one: what is proven here has changed

	work    sync.Mutex      // held while purging, and while in step with the other replicas
	remotes map[Key]*remote // guarded by work

	mu     sync.Mutex
	epochs map[string]map[string]int64 // by site and language; guarded by mu
}

// Sharing is what this replica shares catalogues by.
type Sharing struct {
	Shelf  cache.Shelf
	Leases session.Leases // of the right to fetch, or to prove, for all
	Me     string         // as which this replica holds leases
	Log    *slog.Logger

	// Held returns the catalogues that sessions here have of their own, with the names of their sites.
	Held func() map[*translate.Catalogue]string
}

// A Site is one whose catalogues replicas keep in step.
type Site struct {
	Name   string
	Groups *Groups // nil: each session has a catalogue of its own
	Intern func(*translate.Catalogue) *translate.Catalogue

	// Purge forgets the catalogues of this replica in a language, "" for all, and returns how many sessions lost one
	// or got another. What cannot be had anew stays.
	Purge func(ctx context.Context, language string) (int, error)
}

// NewReplicas returns those of no sites.
func NewReplicas(s Sharing) *Replicas {
	return &Replicas{Sharing: s, news: make(chan struct{}, 1), remotes: map[Key]*remote{}, epochs: map[string]map[string]int64{}}
}

// Add has a site's catalogues kept in step. It is called before Run.
func (c *Replicas) Add(at Site) {
	c.sites = append(c.sites, at)
	if at.Groups != nil {
		at.Groups.news = c.tell
	}
}

// A Key is what replicas find a catalogue by: that of all who are at one place of a site or, with an agent's login name
// instead of the place, that of one session.
type Key struct {
	Site, Login string
	Place
}

// name is that of the right to fetch the catalogue, and of a shared one on the shelf.
func (k Key) name() string {
	return "catalogue/" + k.Site + "/" + k.Login + "/" + k.Base + "/" + k.Language
}

const (
	// contentLife is how long a catalogue is kept that sessions have, beyond its last use. Replicas that
	// use it say so every contentEvery.
	contentLife  = time.Hour
	contentEvery = 10 * time.Minute
)

func contentName(site, version string) string { return "content/" + site + "/" + version }

// Content returns a catalogue of that version, as Version tells it. It fails with cache.ErrNoCopy where none is kept,
// else as the shelf does.
func (c *Replicas) Content(ctx context.Context, site, version string) (*translate.Catalogue, error) {
	kept, err := c.Shelf.Get(ctx, contentName(site, version), "")
	if err != nil {
		return nil, err
	}
	return catalogueOf(site, kept.Text)
}

// KeepContent has a catalogue be found by its version.
func (c *Replicas) KeepContent(ctx context.Context, site string, catalogue *translate.Catalogue) error {
	return c.keep(ctx, contentName(site, Version(catalogue)), catalogue, 0, contentLife)
}

// keep has a catalogue be found under a name, of which little is sent if it is there already.
func (c *Replicas) keep(ctx context.Context, name string, catalogue *translate.Catalogue, epoch int64, life time.Duration) error {
	version := Version(catalogue)
	there, err := c.Shelf.Renew(ctx, name, version, epoch, life)
	if err != nil || there {
		return err
	}
	return c.Shelf.Put(ctx, name, cache.Copy{Text: encodedCatalogue(catalogue), Version: version, Epoch: epoch}, life)
}

// Version tells catalogues apart at all replicas.
func Version(catalogue *translate.Catalogue) string {
	digest := catalogue.Digest()
	return hex.EncodeToString(digest[:])
}

func encodedCatalogue(catalogue *translate.Catalogue) []byte {
	text, err := json.Marshal(catalogue.Messages())
	if err != nil {
		panic("catalogues: encode a catalogue: " + err.Error())
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

// Epoch returns that of the last purge of a site's catalogues in a language.
func (c *Replicas) Epoch(site, language string) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	of := c.epochs[site]
	return max(of[""], of[strings.ToLower(language)])
}

// known returns the epochs of a site that are known here.
func (c *Replicas) known(site string) map[string]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.epochs[site])
}

// begins notes the epochs of a site, and returns the languages in which one has begun since the last look.
func (c *Replicas) begins(site string, epochs map[string]int64) []string {
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

// ErrUntold is part of the error of a purge that other replicas could not be told of.
var ErrUntold = errors.New("catalogues: the other replicas could not be told")

// Purge purges here, and has the other replicas do so within seconds. It returns how many sessions here lost a
// catalogue or got another, and fails as Site.Purge does, or with ErrUntold: then the others do so once the shelf
// answers again.
func (c *Replicas) Purge(ctx context.Context, site, language string) (int, error) {
	at, known := c.site(site)
	if !known {
		return 0, nil
	}
	c.work.Lock()
	defer c.work.Unlock()
	part := strings.ToLower(language)
	epoch, untold := c.Shelf.Purge(ctx, site, part)
	if untold != nil { // what is kept from before is not to come back
		epoch = c.latest(site) + 1
	}
	c.begins(site, map[string]int64{part: epoch})
	purged, err := c.purgeHere(ctx, at, language)
	if err == nil && untold != nil {
		err = fmt.Errorf("%w: %w", ErrUntold, untold)
	}
	return purged, err
}

// latest returns the latest epoch of a site that is known here.
func (c *Replicas) latest(site string) int64 {
	var latest int64
	for _, epoch := range c.known(site) {
		latest = max(latest, epoch)
	}
	return latest
}

func (c *Replicas) site(name string) (Site, bool) {
	at := slices.IndexFunc(c.sites, func(s Site) bool { return s.Name == name })
	if at < 0 {
		return Site{}, false
	}
	return c.sites[at], true
}

// purgeHere also forgets what other replicas prove: it may be what the purge is to mend.
func (c *Replicas) purgeHere(ctx context.Context, at Site, language string) (int, error) {
	for of, one := range c.remotes {
		if of.Site == at.Name && InLanguage(language, of.Language) {
			c.forget(at, of, one)
		}
	}
	return at.Purge(ctx, language)
}
