package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// caller is a client for what happens beside the measuring.
var caller = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4, DisableCompression: true}}

// An answer is what came back, read whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// send sends a request and reads the answer.
func (r request) send(ctx context.Context, client *http.Client, address string) (answer, error) {
	req, err := r.http(ctx, address)
	if err != nil {
		return answer{}, err
	}
	got, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	return answer{got.StatusCode, got.Header, body}, err
}

// must is send for what is to be answered with a status.
func (r request) must(ctx context.Context, client *http.Client, address string, status int) (answer, error) {
	got, err := r.send(ctx, client, address)
	if err == nil && got.status != status {
		err = fmt.Errorf("%s %s is answered %d %.300s; want %d", r.method, r.path, got.status, got.body, status)
	}
	return got, err
}

// login returns the request that logs an agent in at Portico.
func login(name string) request {
	basic := &http.Request{Header: http.Header{}}
	basic.SetBasicAuth(name, name)
	return request{method: "GET", path: "/api/v2/me", header: map[string]string{"Authorization": basic.Header.Get("Authorization")}}
}

// logIn logs an agent in at Portico and returns the cookie.
func logIn(ctx context.Context, door, name string) (string, error) {
	got, err := login(name).must(ctx, caller, door, http.StatusOK)
	if err != nil {
		return "", fmt.Errorf("log %s in: %w", name, err)
	}
	cookie, _, _ := strings.Cut(got.header.Get("Set-Cookie"), ";")
	return cookie, nil
}

// A siteSession is an agent's session at the contact centre itself.
type siteSession struct{ user, id, cookie, csrf string }

// siteLogin returns the request that logs an agent in at the contact centre, as Portico does it.
func siteLogin(name string) request {
	return request{method: "POST", path: "/icws/connection?include=effective-station",
		body:   fmt.Sprintf(`{"__type":"urn:inin.com:connection:icAuthConnectionRequestSettings","applicationName":"benchpeers","userID":%q,"password":%q}`, name, name),
		header: map[string]string{"Accept-Language": "en-us", "Content-Type": "application/vnd.inin.icws+JSON"}}
}

// logInAtSite logs an agent in at the contact centre.
func logInAtSite(ctx context.Context, site, name string) (siteSession, error) {
	got, err := siteLogin(name).must(ctx, caller, site, http.StatusCreated)
	if err != nil {
		return siteSession{}, fmt.Errorf("log %s in at the contact centre: %w", name, err)
	}
	return siteSessionOf(name, got)
}

// siteSessionOf reads the answer to a log-in.
func siteSessionOf(name string, got answer) (siteSession, error) {
	var said struct{ CSRFToken, SessionID string }
	err := json.Unmarshal(got.body, &said)
	cookie, _, _ := strings.Cut(got.header.Get("Set-Cookie"), ";")
	return siteSession{name, said.SessionID, cookie, said.CSRFToken}, err
}

// request returns one in the session. {user} in the path is the session's.
func (s siteSession) request(method, path, body string) request {
	header := map[string]string{"Cookie": s.cookie, "ININ-ICWS-CSRF-Token": s.csrf}
	if body != "" {
		header["Content-Type"] = "application/json"
	}
	return request{method: method, path: "/icws/" + s.id + strings.ReplaceAll(path, "{user}", s.user), body: body, header: header}
}

// calls returns how often the contact centre was asked, by route.
func (w *world) calls(ctx context.Context) (map[string]int, error) {
	got, err := request{method: "GET", path: "/_sim/calls"}.must(ctx, caller, w.site, http.StatusOK)
	if err != nil {
		return nil, err
	}
	var all map[string]int
	return all, json.Unmarshal(got.body, &all)
}
