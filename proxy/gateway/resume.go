package gateway

import (
	"context"
	"encoding/json"
	"errors"

	"portico/proxy/htcc"
	"portico/proxy/upstream"
	"portico/translate/htccapi"
)

// errNoHost is why an upstream session is left: the settings have changed since it was opened, and whoever has the
// address of its host now is to get no session of an agent.
var errNoHost = errors.New("its host is none of the site any more")

// resumed returns the upstream session of a site that another replica opened, nil if there is none that
// can be gone on with.
func (g *Gateway) resumed(ctx context.Context, site string, records map[string][]byte) opening {
	record := records[site]
	if record == nil {
		return nil
	}
	opened, err := g.sites[site].resume(upstream.WithCause(ctx, upstream.Session), record)
	if err != nil {
		g.log.Warn("an upstream session of another replica cannot be gone on with", "site", site, "cause", err.Error())
		return nil
	}
	return opened
}

func (s *icwsSite) resume(_ context.Context, record []byte) (opening, error) {
	var is icwsRecord
	err := json.Unmarshal(record, &is)
	if err == nil && is.SessionID != "" && !s.ICWS.MayCall(is.Base) {
		err = errNoHost
	}
	return icwsSession{s, is.Conn, is.Lost}, err
}

// record returns the upstream session for other replicas, nil while there is none.
func (p *icwsPart) record() []byte {
	p.mu.Lock()
	is, usable := p.link.record(), p.link.usable()
	p.mu.Unlock()
	if !usable && is.Over == "" {
		return nil
	}
	return encoded(is)
}

// resume reads the agent object, which other replicas know from the log-in.
func (s *htccSite) resume(ctx context.Context, record []byte) (opening, error) {
	var is htccRecord
	err := json.Unmarshal(record, &is)
	if err != nil {
		return nil, err
	}
	if is.Cookie != "" && !s.HTCC.MayCall(is.Base) {
		return nil, errNoHost
	}
	session := htcc.Resume(is.Conn)
	if is.Over != "" {
		return &htccSession{session: session}, nil
	}
	user, err := s.HTCC.Me(ctx, session, htccapi.SubDevices, htccapi.SubChannels, htccapi.SubFeatures)
	if err != nil { // the part will find out what of it is gone
		return &htccSession{session: session}, nil
	}
	return &htccSession{session, user}, nil
}

// record returns the upstream session for other replicas, nil while there is none. Cookies and token in
// it may change with any answer.
func (p *htccPart) record() []byte {
	p.mu.Lock()
	session, over := p.session, p.over
	p.mu.Unlock()
	var is htccRecord
	if session != nil {
		is.Conn = session.Snapshot()
	}
	if over {
		is.Over = endUpstream
	} else if session == nil {
		return nil
	}
	return encoded(is)
}

// encoded returns the JSON of a connection, of which there always is one.
func encoded(conn any) []byte {
	text, err := json.Marshal(conn)
	if err != nil {
		panic("gateway: encode a connection: " + err.Error())
	}
	return text
}
