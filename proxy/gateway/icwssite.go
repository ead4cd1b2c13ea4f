package gateway

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"portico/cache"
	"portico/proxy/catalogues"
	"portico/proxy/icws"
	"portico/proxy/logs"
	"portico/proxy/tracing"
	"portico/proxy/upstream"
	"portico/proxy/watch"
	"portico/translate"
	"portico/translate/htccapi"
)

// icwsSite is a Site with an ICWS server behind it, at work: what its agents share.
type icwsSite struct {
	Site
	metrics     *upstream.Site
	tracer      *tracing.Tracer
	cells       *cache.Metrics
	interned    *cache.Interner[translate.Catalogue]
	access      *cache.Interner[translate.Access]
	directories *catalogues.Directories
	maker       *catalogues.Maker
	features    map[htccapi.MediaChannel]Resource // that the channels stand for
	groups      *catalogues.Groups                // nil unless sessions share their catalogue
	service     *watch.Service                    // nil unless it watches the agents
	mute        atomic.Bool                       // the site knows no heartbeat
	streamless  atomic.Bool                       // no streams come through from the site
	presence    upstream.Presence
	asked       time.Time // when the last probe was made, if it passed; the goroutine's that probes
}

// newICWSSite returns a site; watching makes the gauge of whether its service user does.
func newICWSSite(s Site, forms *cache.Forms, cells *cache.Metrics, watching func(site string) prometheus.Gauge, tracer *tracing.Tracer, log *slog.Logger) *icwsSite {
	at := &icwsSite{
		Site: s, metrics: s.ICWS.Metrics(), tracer: tracer, cells: cells,
		interned:    cache.NewInterner(func(c *translate.Catalogue) cache.Digest { return c.Digest() }),
		access:      cache.NewInterner(func(a *translate.Access) cache.Digest { return a.Digest() }),
		directories: catalogues.NewDirectories(forms),
		maker:       catalogues.NewMaker(s.Name),
		features:    map[htccapi.MediaChannel]Resource{},
	}
	at.presence = upstream.Presence{Ask: at.ask, Told: outageOf(s, log).Note}
	for _, channel := range s.Rules.Channels {
		feature := s.Rules.Feature(channel.Name)
		at.features[channel.Name] = Resource{ID: feature.ID, Body: feature}
	}
	if s.ShareCatalogue || s.Service.UserID != "" { // the service is told the catalogue for all
		at.groups = catalogues.NewGroups()
	}
	if s.Service.UserID != "" {
		at.service = watch.New(watch.Site{
			Name: s.Name, ICWS: s.ICWS, User: s.Service, Language: s.Language, Activations: at.needsActivations(), RefusedFor: refusedFor,
			Groups: at.groups, Maker: at.maker, Intern: at.interned.Of, Receives: watching(s.Name), Log: log,
		})
	}
	return at
}

// open opens an upstream session in the language of the site that suits the caller best.
func (s *icwsSite) open(ctx context.Context, login, password, accept string) (opening, error) {
	conn, err := s.ICWS.Login(ctx, icws.Credentials{UserID: login, Password: password, Language: s.language(ctx, accept)})
	if err != nil {
		return nil, err
	}
	return icwsSession{site: s, conn: conn}, nil
}

// icwsSession is a new upstream session, or one that another replica opened.
type icwsSession struct {
	site *icwsSite
	conn icws.Conn
	lost bool // as lossNote.Lost
}

func (o icwsSession) discard(ctx context.Context) { o.site.ICWS.LetGo(ctx, o.conn) }

func (s *icwsSite) part(a *Agent, login string, opened opening) part {
	is, _ := opened.(icwsSession) // of none one is opened when it is needed
	p := newICWSPart(a, s, login, is.conn)
	p.link.lost, p.link.unrecovered = is.lost, is.lost
	return p
}

func (s *icwsSite) limited() { s.metrics.Login(upstream.LoginLimited) }

func (s *icwsSite) answers() bool { return s.presence.IsUp() }

// needsActivations reports whether any channel of the site depends on activated workgroups.
func (s *icwsSite) needsActivations() bool {
	return slices.ContainsFunc(s.Rules.Channels, func(c translate.Channel) bool { return len(c.Workgroups) > 0 })
}

// unmapped returns the activated workgroups that belong to no channel, sorted.
func (s *icwsSite) unmapped(activations map[string]bool) []string {
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

// run asks again and again whether the site answers, which needs no session, and has the service watch
// the agents, if there is one.
func (s *icwsSite) run(ctx context.Context, changed func(site string, up bool)) error {
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return s.presence.Run(ctx, func(up bool) { changed(s.Name, up) }) })
	if s.service != nil {
		work.Go(func() error { return s.service.Run(ctx) })
	}
	return work.Wait()
}

// ask asks whether the site is there, unless the service hears from it without a break since it was
// asked last: it runs the release then that it ran, since an update would have broken the stream.
func (s *icwsSite) ask(ctx context.Context) error {
	if s.service.Vouches(s.asked, upstream.ProbeEvery) {
		return nil
	}
	now := time.Now()
	err := s.ICWS.Probe(ctx)
	if err != nil {
		now = time.Time{}
	}
	s.asked = now
	return err
}

// outageOf tells the log why a site does not answer.
func outageOf(s Site, log *slog.Logger) *logs.Outage {
	return &logs.Outage{Log: log.With("site", s.Name), What: "the site"}
}

// language returns which of the site's languages suits an Accept-Language value best, else the one in the settings.
func (s *icwsSite) language(ctx context.Context, accept string) string {
	return cmp.Or(s.ICWS.Language(ctx, accept), s.Language)
}
