package gateway

import (
	"context"
	"net/http"
	"net/netip"

	"portico/cache"
	"portico/proxy/icws"
	"portico/proxy/session"
	"portico/proxy/upstream"
	"portico/translate/icwsapi"
)

// native is the site that ICWS applications reach through us, and what is known of their sessions
// there. Any number of goroutines may use it.
type native struct {
	site      *icwsSite
	key       session.Key
	tries     nativeTries
	sessions  *nativeSessions
	releases  *nativeReleases
	catalogue nativeCatalogues // nil knows none
}

// nativeCatalogues knows catalogues that something proves to be what the site has now, such as a
// live subscription.
type nativeCatalogues interface {
	// Proven returns the catalogue of the host at base in one of the site's languages, spelled as the
	// site spells it: the body of GET .../status/status-messages, as the site sends it. Without one, or
	// without proof, it returns false. It makes no call and does not wait. Callers share the body and
	// must not change it. Any number of goroutines may call it.
	Proven(base, language string) ([]byte, bool)
}

func newNative(site *icwsSite, key session.Key, forms *cache.Forms, tries nativeTries) *native {
	n := &native{site: site, key: key, tries: tries, sessions: newNativeSessions(key), releases: newNativeReleases(site)}
	if site.commons != nil {
		n.catalogue = newProvenCatalogues(site.Name, site.commons, forms)
	}
	return n
}

// close forgets what was kept and ends what is under way.
func (n *native) close() {
	n.sessions.letGo()
	n.releases.close()
}

// ReleaseNative ends the event streams of native applications, which would otherwise go on for as
// long as their sessions: a browser's opens the next one by itself.
func (g *Gateway) ReleaseNative() {
	if g.native != nil {
		g.native.sessions.letGo()
	}
}

// A NativePassage sends one request of an ICWS application on to its site and brings the answer, or
// answers from the cache what only the site's release decides, and what the session has been proven
// to own. It is a http.RoundTripper, for one request; its errors are of a kind.
//
// We never subscribe on a native session or read its queue: there is one reader, the application's.
type NativePassage struct {
	native *native
	hosts  []string

	From netip.Addr // that the request came from

	// What the answer says, once it is there.
	Session string // the id of the session that it opened, "" for none
	Host    string // what is to come back with that session's requests, for nobody to change
	Stream  bool   // it goes on for as long as the session
	Proven  bool   // the site took the request for one of its session
}

// Native returns the passage of one request; nil if no site is for native applications. Hosts are
// what callers sent back of NativePassage.Host.
func (g *Gateway) Native(hosts []string) *NativePassage {
	if g.native == nil {
		return nil
	}
	return &NativePassage{native: g.native, hosts: hosts}
}

// RoundTrip implements http.RoundTripper.
func (p *NativePassage) RoundTrip(req *http.Request) (*http.Response, error) {
	asked := nativeResourceOf(req)
	switch {
	case asked.session != "":
		return p.inSession(req, asked)
	case asked.path == "connection" && req.Method == http.MethodPost:
		return p.logIn(req)
	}
	site := p.native.site
	if asked.held.isRelease() {
		body, ok := p.native.releases.get(req.Context(), site.ICWS.FirstHost(), asked.held)
		if ok {
			return heldAnswer(req, body), nil
		}
	}
	return site.ICWS.NativeAnywhere(req)
}

// logIn opens a session. What proves it is kept, as hashes.
func (p *NativePassage) logIn(req *http.Request) (*http.Response, error) {
	res, conn, err := p.guess(req)
	if err != nil {
		return nil, err
	}
	if conn.SessionID != "" {
		p.Session, p.Host = conn.SessionID, p.native.sealHost(conn.SessionID, conn.Base)
		p.native.sessions.opened(conn)
	}
	return res, nil
}

// inSession answers a request of a session.
func (p *NativePassage) inSession(req *http.Request, asked nativeResource) (*http.Response, error) {
	n := p.native
	base := n.hostOf(asked.session, p.hosts)
	known := n.sessions.find(base, asked.session)
	if asked.held != heldNothing {
		body, ok := n.held(req, base, known, asked)
		if ok {
			return heldAnswer(req, body), nil
		}
		n.site.cells.Bypassed(asked.held.cache(), n.site.Name)
	}
	asking := known.ask(req, asked)
	res, err := n.site.ICWS.Native(req, base)
	if err != nil {
		return nil, err
	}
	gone := asking.heard(res.StatusCode)
	if gone {
		n.sessions.drop(base, asked.session, known)
	}
	p.Proven = res.StatusCode/100 == 2
	p.Stream = upstream.IsEventStream(res.Header)
	if p.Stream {
		n.sessions.follow(res, asking)
	}
	return res, nil
}

// held returns what the cache has for a request, if the session may have it: one that proves to be
// the session's own, in a language that we know.
func (n *native) held(req *http.Request, base string, known *nativeSession, asked nativeResource) ([]byte, bool) {
	if !known.owns(req, asked.session) {
		return nil, false
	}
	if asked.held.isRelease() {
		return n.releases.get(req.Context(), base, asked.held)
	}
	if n.catalogue == nil {
		return nil, false
	}
	language, ok := n.language(req.Context(), known)
	if !ok {
		return nil, false
	}
	body, ok := n.catalogue.Proven(base, language)
	if ok {
		n.site.cells.Served(cache.Catalogue, n.site.Name)
		n.site.metrics.Avoided(icws.OpGetStatusMessages, upstream.CacheHit)
	}
	return body, ok
}

// language returns which of the site's languages a session has; false unless that is certain. Over
// plain HTTP the session's cookie tells it; else it is certain where the application's first choice
// is a language of the site.
func (n *native) language(ctx context.Context, s *nativeSession) (string, bool) {
	list := n.site.languageList(ctx)
	if s.told != "" {
		return spelledIn(list, s.told)
	}
	return firstChoice(list, s.accept)
}

// heldAnswer answers from the cache as the site would: for nobody's cache but ours.
//
// Source: recorded answers of 2016 and 2019.
func heldAnswer(req *http.Request, body []byte) *http.Response {
	return nativeAnswer(req, http.StatusOK, body, http.Header{
		"Content-Type":  {icwsapi.ContentType},
		"Cache-Control": {"no-cache, no-store, must-revalidate"},
		"Pragma":        {"no-cache"},
		"Expires":       {"0"},
	})
}
