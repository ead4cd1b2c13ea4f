package gateway

import (
	"errors"
	"net/http"
	"net/http/httputil"
	"time"

	"portico/proxy/fault"
	"portico/proxy/htcc"
)

// A Passage sends an agent's requests that Portico does not translate to their HTCC site, as
// requests of the upstream session. It is a http.RoundTripper: path, query, method and body go as
// they are, the answer comes back without what is the session's own.
//
// Its errors are of a kind. A session that turns out to be gone is opened anew; a GET or HEAD is
// then sent again, anything else is for the caller to repeat, since its body is spent.
type Passage struct {
	part *htccPart

	// Upgrades says that the site takes requests for another protocol, such as WebSocket.
	Upgrades bool
}

// PassThrough returns the passage to the agent's HTCC site, nil if they have none.
func (g *Gateway) PassThrough(a *Agent) *Passage {
	for _, p := range a.parts {
		one, ok := p.(*htccPart)
		if ok {
			return &Passage{part: one, Upgrades: one.site.Upgrades}
		}
	}
	return nil
}

// OwnsAll reports whether the HTCC site is the agent's only one.
func (p *Passage) OwnsAll() bool { return p.part.owned == nil }

// repeatAfter is when a request that could not be repeated is worth sending again.
const repeatAfter = time.Second

// RoundTrip implements http.RoundTripper.
func (p *Passage) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	session, err := p.part.joined(ctx, nil)
	if err != nil {
		return nil, err
	}
	res, err := p.send(req, session)
	switch {
	case errors.Is(err, htcc.ErrSessionGone):
		session, err = p.part.joined(ctx, session)
	case errors.Is(err, htcc.ErrTokenRefused):
		err = p.part.site.HTCC.RefreshToken(ctx, session)
	default:
		return res, err
	}
	if err != nil {
		return nil, err
	}
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		return nil, &fault.Error{Kind: fault.Unreachable, RetryAfter: repeatAfter,
			Public: "the session at the contact centre was renewed: send the request again"}
	}
	return p.send(req, session)
}

// send sends the request on a session. An answer that says that the session is not accepted is none.
func (p *Passage) send(req *http.Request, session *htcc.Session) (*http.Response, error) {
	out := req.Clone(req.Context())
	client := p.part.site.HTCC
	client.Rewrite(&httputil.ProxyRequest{In: req, Out: out}, session)
	res, err := client.Transport().RoundTrip(out)
	if err != nil {
		return nil, err
	}
	err = client.Observe(res, session)
	if err != nil {
		_ = res.Body.Close()
		return nil, err
	}
	return res, nil
}
