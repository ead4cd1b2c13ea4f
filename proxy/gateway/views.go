package gateway

import (
	"cmp"
	"context"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"time"

	"portico/proxy/upstream"
	"portico/translate"
)

// A SessionView is what operators see of a session: nothing that lets them act as the agent.
type SessionView struct {
	Session  string     `json:"session"`         // its name in the log
	Login    string     `json:"login,omitempty"` // only if it is asked for
	Created  time.Time  `json:"created"`
	LastUsed time.Time  `json:"lastUsed"`
	Clients  int        `json:"clients"` // of notifications
	Reads    bool       `json:"reads"`   // this replica receives what the sites push; of replicas that share sessions one does
	Parts    []PartView `json:"sites"`
}

// A PartView is what operators see of a session at one site.
type PartView struct {
	Site     string `json:"site"`
	Language string `json:"language,omitempty"`
	Live     bool   `json:"live"`  // the agent's state is kept current
	Ended    bool   `json:"ended"` // the upstream session is gone for good
}

// Sessions returns the sessions of agents who work on a site, "" for all, the oldest first; with their
// login names if they are to be shown.
func (g *Gateway) Sessions(site string, logins bool) []SessionView {
	list := []SessionView{}
	for _, a := range g.all() {
		if site != "" && !slices.Contains(strings.Split(a.Sites(), ","), site) {
			continue
		}
		view := SessionView{Session: a.short, Created: a.session.Created, LastUsed: a.lastUsed(), Reads: a.readsHere()}
		if logins {
			view.Login = a.Login()
		}
		if g.settings.Push != nil {
			view.Clients = g.settings.Push.Clients(a.session.ID)
		}
		for _, p := range a.parts {
			part := p.look()
			part.Ended = a.isOver(p)
			view.Parts = append(view.Parts, part)
		}
		list = append(list, view)
	}
	slices.SortFunc(list, func(a, b SessionView) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Session, b.Session))
	})
	return list
}

// CountFleet returns how many sessions all replicas have that share them; shared is false where this
// process is alone.
func (g *Gateway) CountFleet(ctx context.Context) (n int, shared bool, err error) {
	if g.fleet == nil {
		return 0, false, nil
	}
	n, err = g.store.Len(ctx)
	if err != nil {
		return 0, true, storeDown(err)
	}
	return n, true, nil
}

func (a *Agent) isOver(p part) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.over[p]
}

func (p *icwsPart) look() PartView {
	p.mu.Lock()
	defer p.mu.Unlock()
	return PartView{Site: p.site.Name, Language: p.link.conn.Language, Live: p.live && (p.site.service == nil || p.site.service.IsReceiving())}
}

func (p *htccPart) look() PartView {
	p.mu.Lock()
	defer p.mu.Unlock()
	return PartView{Site: p.site.Name, Live: p.synced}
}

// A CatalogueView is what operators see of a catalogue: one that sessions of a site hold in a language.
type CatalogueView struct {
	Site     string     `json:"site"`
	Language string     `json:"language"`
	Digest   string     `json:"digest"`          // of its content
	Messages int        `json:"statusMessages"`  // in it
	Sessions int        `json:"sessions"`        // that hold it
	Unproven int        `json:"unproven"`        // of these, those that nothing tells of changes
	Since    *time.Time `json:"since,omitempty"` // since when the longest of them is so
}

// Catalogues returns the catalogues that sessions hold, by site and language. Forms is how many bytes of
// them are kept encoded.
func (g *Gateway) Catalogues() (list []CatalogueView, forms int64) {
	type key struct {
		site, language string
		value          *translate.Catalogue // equal ones of a site are one object
	}
	found := map[key]*CatalogueView{}
	for _, a := range g.all() {
		p := a.icws()
		if p == nil {
			continue
		}
		held, ok := p.lists.catalogue.Snapshot()
		if !ok {
			continue
		}
		of := key{p.site.Name, p.connection().Language, held.Value}
		if found[of] == nil {
			digest := held.Value.Digest()
			found[of] = &CatalogueView{Site: of.site, Language: of.language, Digest: hex.EncodeToString(digest[:8]), Messages: len(held.Value.Messages())}
		}
		found[of].count(held.Stale(), held.Since)
	}
	list = []CatalogueView{}
	for _, one := range found {
		list = append(list, *one)
	}
	slices.SortFunc(list, func(a, b CatalogueView) int {
		return cmp.Or(cmp.Compare(a.Site, b.Site), cmp.Compare(a.Language, b.Language), cmp.Compare(a.Digest, b.Digest))
	})
	return list, g.forms.Size()
}

func (v *CatalogueView) count(stale bool, since time.Time) {
	v.Sessions++
	if !stale {
		return
	}
	v.Unproven++
	if v.Since == nil || since.Before(*v.Since) {
		v.Since = &since
	}
}

// A SiteView is what operators see of a site.
type SiteView struct {
	Site     string                 `json:"site"`
	Kind     string                 `json:"kind"` // icws or htcc
	Up       bool                   `json:"up"`   // it answered its last probe
	Sessions int                    `json:"sessions"`
	Readers  Readers                `json:"readers"`           // of the agents' own sessions
	Service  *bool                  `json:"service,omitempty"` // whether the service user receives, where there is one
	Breakers []upstream.BreakerView `json:"breakers"`
}

// Readers are how many sessions receive what their site tells of the agent, and how many do not; of
// sessions that another replica reads for neither.
type Readers struct {
	Live   int `json:"live"`
	Broken int `json:"broken"`
}

// Sites returns what is known of each site, by name.
func (g *Gateway) Sites() []SiteView {
	views := map[string]*SiteView{}
	for name, at := range g.sites {
		view := at.view()
		view.Site, view.Up = name, at.answers()
		views[name] = &view
	}
	for _, a := range g.all() {
		for _, p := range a.parts {
			view := views[p.siteName()]
			view.Sessions++
			switch {
			case !a.readsHere(): // another replica does
			case p.look().Live:
				view.Readers.Live++
			default:
				view.Readers.Broken++
			}
		}
	}
	list := []SiteView{}
	for _, name := range slices.Sorted(maps.Keys(views)) {
		list = append(list, *views[name])
	}
	return list
}

func (s *icwsSite) view() SiteView {
	view := SiteView{Kind: "icws", Breakers: s.ICWS.Breakers()}
	if s.service != nil {
		view.Service = new(s.service.IsReceiving())
	}
	return view
}

func (s *htccSite) view() SiteView { return SiteView{Kind: "htcc", Breakers: s.HTCC.Breakers()} }
