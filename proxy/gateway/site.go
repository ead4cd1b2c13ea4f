package gateway

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/text/language"

	"portico/cache"
	"portico/proxy/icws"
	"portico/proxy/upstream"
	"portico/translate"
	"portico/translate/icwsapi"
)

// site is a Site at work: what its agents share.
type site struct {
	Site
	metrics     *upstream.Site
	cells       *cache.Metrics
	catalogues  *cache.Interner[translate.Catalogue]
	access      *cache.Interner[translate.Access]
	directories *directories
	up          atomic.Bool // the last probe passed

	languages languages
}

func newSite(s Site, forms *cache.Forms, cells *cache.Metrics) *site {
	return &site{
		Site: s, metrics: s.Client.Metrics(), cells: cells,
		catalogues:  cache.NewInterner(func(c *translate.Catalogue) cache.Digest { return c.Digest() }),
		access:      cache.NewInterner(func(a *translate.Access) cache.Digest { return a.Digest() }),
		directories: newDirectories(forms),
	}
}

// needsActivations reports whether any channel of the site depends on activated workgroups.
func (s *site) needsActivations() bool {
	return slices.ContainsFunc(s.Rules.Channels, func(c translate.Channel) bool { return len(c.Workgroups) > 0 })
}

// unmapped returns the activated workgroups that belong to no channel, sorted.
func (s *site) unmapped(activations map[string]bool) []string {
	var names []string
	for name, active := range activations {
		mapped := slices.ContainsFunc(s.Rules.Channels, func(c translate.Channel) bool {
			return slices.ContainsFunc(c.Workgroups, func(workgroup string) bool { return strings.EqualFold(workgroup, name) })
		})
		if active && !mapped {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// probeEvery is how often a site is asked whether it is there.
const probeEvery = 10 * time.Second

// probe asks again and again whether the site answers, which needs no session.
func (s *site) probe(ctx context.Context) error {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		err := s.Client.Probe(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.up.Store(err == nil)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// How long a site's list of languages is taken to hold, since it changes with an update of the
// server; and how long that it could not be had.
const (
	languagesFor   = time.Hour
	noLanguagesFor = 5 * time.Second
)

// languages is a site's list of languages, asked for when needed.
type languages struct {
	mu    sync.Mutex
	list  []string  // guarded by mu
	until time.Time // guarded by mu
}

// language returns which of the site's languages suits an Accept-Language value best. Without a
// wish, without one that the site has, or where the site does not tell its languages, it is the one
// in the settings.
func (s *site) language(ctx context.Context, accept string) string {
	wanted, _, err := language.ParseAcceptLanguage(accept)
	if err != nil || len(wanted) == 0 {
		return s.Language
	}
	list := s.languageList(ctx)
	var offered []language.Tag
	for _, id := range list {
		offered = append(offered, language.Make(id))
	}
	if len(offered) == 0 {
		return s.Language
	}
	_, at, confidence := language.NewMatcher(offered).Match(wanted...)
	if confidence == language.No {
		return s.Language
	}
	return list[at]
}

// languageList returns the site's languages; those it had if it cannot be asked.
func (s *site) languageList(ctx context.Context) []string {
	s.languages.mu.Lock()
	defer s.languages.mu.Unlock()
	if time.Now().Before(s.languages.until) {
		return s.languages.list
	}
	info, err := s.Client.ServerInfo(upstream.WithCause(ctx, upstream.Session))
	if err != nil {
		s.languages.until = time.Now().Add(noLanguagesFor)
		return s.languages.list
	}
	s.languages.list = nil
	for _, one := range info.Languages {
		s.languages.list = append(s.languages.list, one.LanguageID)
	}
	s.languages.until = time.Now().Add(languagesFor)
	return s.languages.list
}

// fetchCatalogue asks the site for its catalogue in the language of conn.
func (s *site) fetchCatalogue(ctx context.Context, p *part) (*translate.Catalogue, error) {
	var messages []icwsapi.StatusMessage
	err := p.call(ctx, func(conn icws.Conn) error {
		var err error
		messages, err = s.Client.StatusMessages(ctx, conn)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("gateway: fetch the catalogue of site %q: %w", s.Name, err)
	}
	return translate.NewCatalogue(s.Name, messages), nil
}

// fetchAccess asks the site which statuses the agent of p may be given.
func (s *site) fetchAccess(ctx context.Context, p *part) (*translate.Access, error) {
	var ids []string
	err := p.call(ctx, func(conn icws.Conn) error {
		var err error
		ids, err = s.Client.UserAccess(ctx, conn, conn.UserID)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("gateway: fetch an access list of site %q: %w", s.Name, err)
	}
	return translate.NewAccess(ids), nil
}
