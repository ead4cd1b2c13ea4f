package native

import (
	"context"
	"net/http"
	"net/netip"

	"portico/cache"
	"portico/proxy/icws"
	"portico/proxy/upstream"
	"portico/translate/icwsapi"
)

// A Passage sends one request of an ICWS application on to its site and brings the answer, or
// answers from the cache what only the site's release decides, and what the session has been proven
// to own. It is a http.RoundTripper, for one request; its errors are of a kind.
//
// We never subscribe on a native session or read its queue: there is one reader, the application's.
type Passage struct {
	proxy *Proxy
	hosts []string

	From netip.Addr // that the request came from

	// What the answer says, once it is there.
	Session string // the id of the session that it opened, "" for none
	Cookie  string // the name of that session's own cookie
	Host    string // what is to come back with that session's requests, for nobody to change
	Stream  bool   // it goes on for as long as the session
	Proven  string // the session that the request was one of, with its host; "" for none
	Looked  string // what became of looking into the cache, as metrics spell it; "" if nobody did
	ErrorID string // of an error that the site answered, as it spells it; "" if it named none
}

// Site returns the name of the site.
func (p *Passage) Site() string { return p.proxy.site.Name }

// RoundTrip implements http.RoundTripper. A cookie is set by the head of an answer, never by its trailer: whoever
// looks after our own sees that alone.
func (p *Passage) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := p.answer(req)
	if err != nil {
		return nil, err
	}
	p.ErrorID = icws.AnsweredErrorID(res)
	upstream.DropTrailers(res, func(name string) bool { return name == "Set-Cookie" })
	return res, nil
}

func (p *Passage) answer(req *http.Request) (*http.Response, error) {
	asked := resourceOf(req)
	switch {
	case asked.session != "":
		return p.inSession(req, asked)
	case asked.path == "connection" && req.Method == http.MethodPost:
		return p.logIn(req)
	}
	site := p.proxy.site
	if asked.held.isRelease() {
		body, result := p.proxy.releases.get(req.Context(), site.ICWS.FirstHost(), asked.held)
		p.Looked = result.String()
		if body != nil {
			return heldAnswer(req, body), nil
		}
	}
	return site.ICWS.NativeAnywhere(req)
}

// logIn opens a session. What proves it is kept, as hashes.
func (p *Passage) logIn(req *http.Request) (*http.Response, error) {
	res, conn, err := p.guess(req)
	if err != nil {
		return nil, err
	}
	if conn.SessionID != "" {
		p.Session, p.Host = conn.SessionID, p.proxy.sealHost(conn.SessionID, conn.Base)
		p.Cookie = icwsapi.CookiePrefix + conn.SessionID
		p.Proven = sessionID{conn.Base, conn.SessionID}.String()
		p.proxy.sessions.opened(conn)
	}
	return res, nil
}

// inSession answers a request of a session.
func (p *Passage) inSession(req *http.Request, asked resource) (*http.Response, error) {
	n := p.proxy
	base := n.hostOf(asked.session, p.hosts)
	known := n.sessions.find(base, asked.session)
	if asked.held != heldNothing {
		body, result := n.held(req, base, known, asked)
		p.Looked = result.String()
		if body != nil {
			p.Proven = sessionID{base, asked.session}.String()
			return heldAnswer(req, body), nil
		}
		n.site.Cells.Bypassed(asked.held.cache(), n.site.Name)
	}
	asking := known.ask(req, asked)
	if asked.takesMessages() {
		req = req.WithContext(upstream.Once(req.Context()))
	}
	tellings, leads := known.tellings()
	leads = leads && asked.held == heldCatalogue && asking.proves
	if leads { // the answer must come plain, as it is read along
		req = req.Clone(req.Context())
		req.Header.Set("Accept-Encoding", "identity")
	}
	res, err := n.site.ICWS.Native(req, base)
	if err != nil {
		return nil, err
	}
	gone := asking.heard(res.StatusCode)
	if gone {
		n.sessions.drop(base, asked.session, known)
	}
	if asking.proves && res.StatusCode/100 == 2 {
		p.Proven = sessionID{base, asked.session}.String()
	}
	if asked.takesMessages() && known != nil && n.site.Catalogues != nil {
		listen(res, known)
	}
	if leads {
		readAlong(res, known, tellings)
	}
	p.Stream = upstream.IsEventStream(res.Header)
	if p.Stream {
		n.sessions.follow(res, asking)
	}
	return res, nil
}

// held returns what the cache has for a request, and how it was had, if the session may have it: one that proves
// to be the session's own, in a language that we know. Else it returns nil.
func (n *Proxy) held(req *http.Request, base string, known *proof, asked resource) ([]byte, cache.Result) {
	if !known.owns(req, asked.session) {
		return nil, cache.Bypass
	}
	if asked.held.isRelease() {
		return n.releases.get(req.Context(), base, asked.held)
	}
	if n.site.Catalogues == nil {
		return nil, cache.Bypass
	}
	language, ok := n.language(req.Context(), known)
	if !ok {
		return nil, cache.Bypass
	}
	body, ok := n.site.Catalogues.Proven(base, language)
	if !ok || known.knowsMore(body) {
		return nil, cache.Bypass
	}
	n.site.Cells.Served(cache.Catalogue, n.site.Name)
	n.site.ICWS.Metrics().Avoided(icws.OpGetStatusMessages, upstream.CacheHit)
	return body, cache.Hit
}

// language returns which of the site's languages a session has; false unless that is certain. Over
// plain HTTP the session's cookie tells it; else it is certain where the application's first choice
// is a language of the site.
func (n *Proxy) language(ctx context.Context, known *proof) (string, bool) {
	list := n.site.Languages(ctx)
	if known.told != "" {
		return spelledIn(list, known.told)
	}
	return firstChoice(list, known.accept)
}

// heldAnswer answers from the cache as the site would: for nobody's cache but ours.
//
// Source: recorded answers of 2016 and 2019.
func heldAnswer(req *http.Request, body []byte) *http.Response {
	return ownAnswer(req, http.StatusOK, body, http.Header{
		"Content-Type":  {icwsapi.ContentType},
		"Cache-Control": {"no-cache, no-store, must-revalidate"},
		"Pragma":        {"no-cache"},
		"Expires":       {"0"},
	})
}
