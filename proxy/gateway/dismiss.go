package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"portico/proxy/fault"
	"portico/proxy/session"
)

// Dismiss ends the session that has a name in the log, on an operator's word: at all replicas and at the sites. For
// barredFor no new one is opened under the agent's login name.
//
// It fails with fault.NotFound if none of that name is known here, with fault.Invalid if two are, and with
// fault.Overloaded while the store does not answer: the session would go on at other replicas.
func (g *Gateway) Dismiss(ctx context.Context, name string) error {
	var found []*Agent
	for _, a := range g.all() {
		if strings.EqualFold(a.short, name) {
			found = append(found, a)
		}
	}
	switch len(found) {
	case 0:
		return fault.New(fault.NotFound, fmt.Sprintf("no session %q is known here", name))
	case 1:
	default:
		return fault.New(fault.Invalid, fmt.Sprintf("%d sessions are called %q: say which by login", len(found), name))
	}
	s, err := g.store.ByLogin(ctx, found[0].Login())
	if err != nil && !errors.Is(err, session.ErrNotFound) {
		return storeDown(err)
	}
	if err == nil && s.ID == found[0].session.ID {
		found[0].learn(s) // the upstream session that another replica opened is the one to close
	}
	g.end(found[0], endOperator)
	return nil
}

// DismissLogin is Dismiss of the agent who is logged in under a name, at whichever replica that was. It returns what
// the log calls the session.
func (g *Gateway) DismissLogin(ctx context.Context, login string) (string, error) {
	login = strings.ToLower(login)
	_, err := g.store.ByLogin(ctx, login)
	if errors.Is(err, session.ErrNotFound) {
		return "", fault.New(fault.NotFound, "nobody is logged in under that name")
	}
	if err != nil {
		return "", storeDown(err)
	}
	a, err := g.ofLogin(ctx, Caller{Login: login}, nil)
	if err != nil {
		return "", err
	}
	if a == nil { // it ended just now
		return "", fault.New(fault.NotFound, "nobody is logged in under that name")
	}
	g.end(a, endOperator)
	return a.short, nil
}
