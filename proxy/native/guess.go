package native

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"portico/proxy/fault"
	"portico/proxy/icws"
	"portico/proxy/session"
	"portico/proxy/upstream"
	"portico/translate/icwsapi"
)

// guess sends a log-in, unless too many of its name or from its address were refused, or would be if all that are
// under way were.
func (p *Passage) guess(req *http.Request) (*http.Response, icws.Conn, error) {
	asked, err := read(req)
	if err != nil {
		return nil, icws.Conn{}, err
	}
	req, name := asked.Request, asked.name
	ctx, site := req.Context(), p.proxy.site
	known := session.IsName(name)
	if !known { // it counts for the address alone
		name = ""
	}
	counted := func(err error) error {
		if errors.Is(err, fault.Throttled) {
			site.ICWS.Metrics().Login(upstream.LoginLimited)
		}
		return err
	}
	leave, err := site.Logins.Enter(ctx, name, p.From)
	if err != nil {
		return nil, icws.Conn{}, counted(err)
	}
	defer leave()
	if !known {
		site.Logins.Tried(ctx, "", p.From, fault.Unauthenticated)
		return refusedName(req), icws.Conn{}, nil
	}
	// Others may be refused while this one waits for its turn.
	still := func() error { return counted(site.Logins.MayTry(ctx, name, p.From)) }
	res, conn, err := p.send(req.WithContext(upstream.WithStill(ctx, still)), asked)
	ctx = context.WithoutCancel(ctx) // it counts, whether or not the caller waits for the answer
	switch {
	case err != nil:
	case conn.SessionID != "":
		site.Logins.Tried(ctx, name, p.From, nil)
		site.Logins.Opened(name)
		site.Logins.Opened(conn.UserID)
	case icws.RefusedLogin(res):
		site.Logins.Tried(ctx, name, p.From, fault.Unauthenticated)
	case icws.MalformedLogin(res): // it costs the site a log-in, and keeps nobody out who is named in it
		site.Logins.Tried(ctx, "", p.From, fault.Unauthenticated)
	}
	return res, conn, err
}

// refusedName refuses a user whose name can be no account's, in the words that a site has for wrong credentials in
// English.
//
// Source: answers recorded by several clients' tests.
func refusedName(req *http.Request) *http.Response {
	const authenticationFailed = -2147221503
	body, err := json.Marshal(icwsapi.Error{ErrorID: icwsapi.ErrorAuthenticationFailure, ErrorCode: authenticationFailed,
		Message: "The authentication process failed."})
	if err != nil {
		panic("native: texts cannot fail to encode: " + err.Error())
	}
	return ownAnswer(req, http.StatusBadRequest, body, http.Header{"Content-Type": {ContentType}})
}

// send sends a log-in to where it may be taken. A token of a session is known at its host alone, which the session's own
// cookie tells, where it has come along; replicas know no more.
func (p *Passage) send(req *http.Request, asked login) (*http.Response, icws.Conn, error) {
	if asked.source == "" {
		return p.proxy.site.ICWS.NativeLogin(req)
	}
	return p.proxy.site.ICWS.NativeTokenLogin(req, p.proxy.hostOf(asked.source, p.hosts))
}

// A login is one with its body at hand, and what that says.
type login struct {
	*http.Request
	name   string // the user; "" where it names none that we can read, as a log-in without a password does
	source string // the session that it brings a token of, "" for none
}

// read reads a log-in. It fails with fault.Invalid where it names a user twice: which of the two the site tries is not
// known.
//
// Source: ICWS reference, POST /icws/connection (userID).
func read(req *http.Request) (login, error) {
	if req.Body == nil {
		return login{Request: req}, nil
	}
	body, err := io.ReadAll(io.LimitReader(req.Body, icws.MaxNativeLogin+1))
	if err != nil {
		return login{}, fmt.Errorf("native: read a log-in: %w", upstream.BrokenBody(req.Context(), err))
	}
	ahead := req.WithContext(req.Context())
	ahead.Body = struct {
		io.Reader
		io.Closer
	}{bytes.NewReader(body), req.Body}
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	users := usersOf(body)
	switch len(users) {
	case 0:
		return login{Request: ahead, source: sourceOf(body)}, nil
	case 1:
		return login{Request: ahead, name: strings.ToLower(strings.TrimSpace(users[0]))}, nil
	}
	return login{}, fault.New(fault.Invalid, "a log-in names its user once: userID, in whatever capitals")
}

// sourceOf returns the session that a log-in brings a token of, "" for none.
//
// Source: ICWS reference, authTokenConnectionRequestSettings.
func sourceOf(body []byte) string {
	var asked icwsapi.AuthTokenConnectionRequestSettings
	err := json.Unmarshal(body, &asked)
	if err != nil || asked.Type != icwsapi.TypeAuthToken {
		return ""
	}
	return asked.AuthTokenSourceSession
}

// usersOf returns what the members of a log-in say that may be the userID, as sites may tell capitals
// apart or not: up to where it can be read, since its form only the site judges. What is no text counts as
// it is written.
func usersOf(body []byte) []string {
	var users []string
	members := json.NewDecoder(bytes.NewReader(body))
	begin, err := members.Token()
	for err == nil && begin == json.Delim('{') && members.More() {
		var key json.Token
		var value json.RawMessage
		key, err = members.Token()
		name, _ := key.(string)
		if err == nil {
			err = members.Decode(&value)
		}
		if err != nil || !strings.EqualFold(name, "userID") {
			continue
		}
		var user string
		if json.Unmarshal(value, &user) != nil {
			user = string(value)
		}
		users = append(users, user)
	}
	return users
}
