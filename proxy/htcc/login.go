package htcc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"portico/proxy/fault"
	"portico/translate/htccapi"
)

var (
	errNoCookie = errors.New("a log-in without a cookie")
	errColon    = errors.New("a login name with a colon")

	errShortLived = errors.New("the session ended with the log-in")
)

// Login opens a session at the first host that answers, and returns it with the agent: the user
// object with all its sub-resources. The next log-in begins at the host that took this one. The
// credentials travel once; what proves the session afterwards is its cookies.
//
// It fails with fault.Unauthenticated when the credentials are refused, and then no other host has
// seen them; with fault.Forbidden, fault.Unreachable, fault.Timeout or fault.BadUpstream when the
// host answers with another error; with fault.Timeout or fault.Unreachable when no host answers;
// and with context.Canceled when ctx was cancelled.
//
// Source: GWS, Web Services Authentication Flow; captured traffic of GWS 8.5.202.96.
func (c *Client) Login(ctx context.Context, credentials Credentials) (*Session, Object, error) {
	session, user, err := c.login(ctx, credentials)
	c.metrics.LoggedIn(err)
	if err != nil {
		return nil, Object{}, fmt.Errorf("htcc: log in: %w", err)
	}
	return session, user, nil
}

func (c *Client) login(ctx context.Context, credentials Credentials) (*Session, Object, error) {
	if strings.Contains(credentials.UserName, ":") { // the name would end there, and the password begin
		return nil, Object{}, fmt.Errorf("%w: %w", fault.Unauthenticated, errColon)
	}
	var session *Session
	var user Object
	base, err := c.eachHost(ctx, func(base string) error {
		var err error
		session, user, err = c.loginAt(ctx, base, credentials)
		return err
	})
	if err != nil {
		return nil, Object{}, err
	}
	c.hosts.took(base)
	user, err = c.withFeatures(ctx, session, user)
	return session, user, err
}

// loginAt makes one attempt.
func (c *Client) loginAt(ctx context.Context, base string, credentials Credentials) (*Session, Object, error) {
	req, err := request(ctx, http.MethodGet, base+root+mePath([]string{"*"}), nil)
	if err != nil {
		return nil, Object{}, err
	}
	req.SetBasicAuth(credentials.UserName, credentials.Password)
	err = c.caller.Guard.Turn(ctx, OpLogin)
	if err != nil {
		return nil, Object{}, err
	}
	reply, err := c.roundTrip(req, call{operation: OpLogin, maxReply: maxMe})
	if err != nil {
		return nil, Object{}, err
	}
	user, err := c.user(OpLogin, reply)
	if err != nil {
		return nil, Object{}, notLoggedIn(err)
	}
	session := Resume(Conn{
		Base:     base,
		UserID:   user.Text("id"),
		UserName: credentials.UserName,
		Opened:   time.Now().UTC().Round(0), // the same after a round trip through JSON
	})
	session.observe(reply.Header(), "")
	if session.Snapshot().Cookie == "" { // without one, every call would be a stranger's
		return nil, Object{}, c.garbage(OpLogin, errNoCookie)
	}
	return session, user, nil
}

// notLoggedIn says what the failure of a log-in's call means: there is no session yet that could
// be gone, and no request of a caller that could be wrong.
func notLoggedIn(err error) error {
	refusal := AsRefusal(err)
	switch {
	case refusal == nil:
		return err
	case refusal.denied():
		return fmt.Errorf("%w: %w", fault.Unauthenticated, refusal)
	case errors.Is(err, fault.Missing), errors.Is(err, fault.Invalid), errors.Is(err, fault.NotFound):
		return fmt.Errorf("%w: %w", fault.BadUpstream, refusal)
	default:
		return err
	}
}

// withFeatures adds the features of the agent's contact centre, which * does not name on the
// servers seen. An agent can work without Portico's knowing them, so that only the end of the
// session is a failure.
func (c *Client) withFeatures(ctx context.Context, s *Session, user Object) (Object, error) {
	if user.has(htccapi.SubFeatures) {
		return user, nil
	}
	more, err := c.Me(ctx, s, htccapi.SubFeatures)
	switch {
	case err == nil && more.has(htccapi.SubFeatures):
		return user.With(htccapi.SubFeatures, more.Get(htccapi.SubFeatures)), nil
	case errors.Is(err, ErrSessionGone): // which must not read like refused credentials
		return Object{}, fmt.Errorf("%w: %w: %w", fault.BadUpstream, errShortLived, AsRefusal(err))
	case ctx.Err() != nil:
		return Object{}, err
	default:
		return user, nil
	}
}
