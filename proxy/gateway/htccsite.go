package gateway

import (
	"context"
	"log/slog"

	"portico/proxy/htcc"
	"portico/proxy/upstream"
)

// htccSite is a Site with an HTCC server behind it, at work.
type htccSite struct {
	Site
	metrics  *upstream.Site
	presence upstream.Presence
}

func newHTCCSite(s Site, log *slog.Logger) *htccSite {
	return &htccSite{Site: s, metrics: s.HTCC.Metrics(),
		presence: upstream.Presence{Ask: s.HTCC.Probe, Told: outageOf(s, log).Note}}
}

// open opens an upstream session.
func (s *htccSite) open(ctx context.Context, login, password, _ string) (opening, error) {
	session, user, err := s.HTCC.Login(ctx, htcc.Credentials{UserName: login, Password: password})
	if err != nil {
		return nil, err
	}
	return &htccSession{session, user}, nil
}

// htccSession is a new upstream session and the agent it is for.
type htccSession struct {
	session *htcc.Session
	user    htcc.Object
}

// discard lets the session go: it ends at the site when it has been idle for long enough.
func (*htccSession) discard(context.Context) {}

func (s *htccSite) part(a *Agent, login string, opened opening) part {
	session, _ := opened.(*htccSession)
	return newHTCCPart(a, s, login, a.owned(s.Name), session)
}

func (s *htccSite) answers() bool { return s.presence.IsUp() }

func (s *htccSite) limited() { s.metrics.Login(upstream.LoginLimited) }

// run asks again and again whether the site answers, which needs no session.
func (s *htccSite) run(ctx context.Context, _ func(site string, up bool)) error {
	return s.presence.Run(ctx, func(bool) {}) // the site itself tells of its services
}
