package gateway

import (
	"context"
	"errors"
	"net/http"
	"net/http/httputil"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"portico/proxy/fault"
	"portico/proxy/htcc"
	"portico/proxy/upstream"
	"portico/translate/htccapi"
)

// A Passage sends a request of an agent that Portico does not translate to their HTCC site, as
// one of the upstream session. It is a http.RoundTripper: path, query, method and body go as
// they are, the answer comes back without what is the session's own.
//
// Its errors are of a kind: fault.Unauthenticated once Begin's context ended with the agent's session. A session that turns out to be gone is opened anew; a GET or HEAD is
// then sent again, anything else is for the caller to repeat, since its body is spent.
type Passage struct {
	part *htccPart

	// Upgrades says that the site takes requests for another protocol, such as WebSocket.
	Upgrades bool

	endless atomic.Bool // the answer goes on until somebody ends it
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

// Owns reports whether a path below the API's root is the HTCC site's: all are if the agent works
// nowhere else, else those of its channels, and of the devices if voice is one of them.
func (p *Passage) Owns(path string) bool {
	if p.part.owned == nil {
		return true
	}
	rest, isChannel := strings.CutPrefix(path, "/me/channels/")
	if isChannel {
		return slices.Contains(p.part.owned, htccapi.MediaChannel(rest))
	}
	return strings.HasPrefix(path, "/me/devices/") && slices.Contains(p.part.owned, htccapi.Voice)
}

// passageGrace is how long what is passed through may go on once the agent's session has ended. The request may be
// the one that ended it, or an upload whose answer is on its way, and that answer is to arrive. Whoever is cut off
// before the answer has begun reads that the session has ended.
const passageGrace = 5 * time.Second

// Begin returns the context for a request and its answer, and what is to be called when that is over: until then the
// agent's session is in use. The context ends with the session: at once where the answer is an event stream or another
// protocol, which nobody else would end, and after passageGrace else.
func (p *Passage) Begin(ctx context.Context) (context.Context, func()) {
	agent := p.part.agent
	agent.passing.Add(1)
	ctx, cut := context.WithCancelCause(ctx)
	unlink := context.AfterFunc(agent.life, func() {
		if p.endless.Load() || upstream.Sleep(ctx, passageGrace) == nil {
			cut(errEnded)
		}
	})
	return ctx, func() {
		unlink()
		cut(nil)
		agent.use()
		agent.passing.Add(-1)
	}
}

// repeatAfter is when a request that could not be repeated is worth sending again.
const repeatAfter = time.Second

// RoundTrip implements http.RoundTripper.
func (p *Passage) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := p.pass(req)
	switch {
	case err == nil:
		p.endless.Store(res.StatusCode == http.StatusSwitchingProtocols || upstream.IsEventStream(res.Header))
	case errors.Is(context.Cause(req.Context()), errEnded):
		err = errEnded
	}
	return res, err
}

func (p *Passage) pass(req *http.Request) (*http.Response, error) {
	session, err := p.part.joined(req.Context(), nil)
	if err != nil {
		return nil, p.part.agent.denied(err)
	}
	res, err := p.send(req, session)
	if !refused(err) {
		return res, err
	}
	session, err = p.renew(req.Context(), session, err)
	if err != nil {
		return nil, p.part.agent.denied(err)
	}
	if !repeatable(req) {
		return nil, &fault.Error{Kind: fault.Unreachable, RetryAfter: repeatAfter,
			Public: "the session at the contact centre was renewed: send the request again"}
	}
	res, err = p.send(req, session)
	if refused(err) {
		return nil, &fault.Error{Kind: fault.Unreachable, RetryAfter: repeatAfter, Public: textDenied, Err: errors.New(err.Error())}
	}
	return res, err
}

// refused reports that the site did not accept what proves the session.
func refused(err error) bool {
	return errors.Is(err, htcc.ErrSessionGone) || errors.Is(err, htcc.ErrTokenRefused)
}

// renew returns the session with a new token, or a new session if that was what the site missed:
// one that is gone has no token either.
func (p *Passage) renew(ctx context.Context, session *htcc.Session, why error) (*htcc.Session, error) {
	if errors.Is(why, htcc.ErrTokenRefused) {
		err := p.part.site.HTCC.RefreshToken(ctx, session)
		if !errors.Is(err, htcc.ErrSessionGone) {
			return session, err
		}
	}
	return p.part.joined(ctx, session)
}

// repeatable reports a request that may be sent twice and has no body, which would be spent.
func repeatable(req *http.Request) bool {
	reads := req.Method == http.MethodGet || req.Method == http.MethodHead
	return reads && (req.Body == nil || req.Body == http.NoBody)
}

// send sends the request on a session. An answer that says that the session is not accepted is none.
func (p *Passage) send(req *http.Request, session *htcc.Session) (*http.Response, error) {
	rewritten := httputil.ProxyRequest{In: req, Out: req.Clone(req.Context())}
	client := p.part.site.HTCC
	client.Rewrite(&rewritten, session)
	res, err := client.Transport().RoundTrip(rewritten.Out)
	if err != nil {
		return nil, err
	}
	err = client.Observe(res, session)
	if err == nil && req.Method == http.MethodHead && res.StatusCode == http.StatusForbidden {
		err = p.explain(req.Context(), session)
	}
	if err != nil {
		_ = res.Body.Close()
		return nil, err
	}
	return res, nil
}

// explain asks whether it is the session that a 403 without a body refuses: it fails with
// htcc.ErrSessionGone if so. The site's refusal stands if that cannot be found out.
func (p *Passage) explain(ctx context.Context, session *htcc.Session) error {
	err := p.part.site.HTCC.RefreshToken(ctx, session)
	if errors.Is(err, htcc.ErrSessionGone) {
		return err
	}
	return nil
}
