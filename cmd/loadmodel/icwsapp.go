package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"portico/translate/icwsapi"
)

// An icwsApp is an application that speaks ICWS itself, as sparingly as it can: it reads the catalogue
// and its access list once, keeps them when its page is reloaded, takes states from its event stream,
// and asks for version and features with the log-in. Only a panel polls.
//
// Source: the vendor's sample "JavaScript Direct Usage" (the order of calls; that leaving a page ends
// its session).
type icwsApp struct {
	agent
	base   string
	http   *http.Client
	life   context.Context
	failed func(error) // of what the application does by itself

	session icwsapi.ConnectionResponse
	cookie  string
	ear     ear
}

const statusMessages = "/status/status-messages"

func (a *icwsApp) logIn(ctx context.Context) error {
	switch a.persona {
	case panel:
		return inTurn(ctx, a.connect, a.gets(statusMessages))
	case desktop:
		return inTurn(ctx, a.begin, func(ctx context.Context) error { return a.change(ctx, notReady) })
	default:
		return a.begin(ctx)
	}
}

// begin opens a session, reads what is kept, and hears of the agent's status from then on.
func (a *icwsApp) begin(ctx context.Context) error {
	return inTurn(ctx, a.connect, a.listen, a.gets(statusMessages), a.gets("/status/status-messages-user-access/"+a.name), a.subscribe)
}

// connect opens a session.
func (a *icwsApp) connect(ctx context.Context) error {
	r := request{http.MethodPost, a.base + "/icws/connection?include=features,effective-station",
		http.Header{"Accept-Language": {a.language}, "Content-Type": {"application/vnd.inin.icws+JSON"}},
		icwsapi.ICAuthConnectionRequestSettings{Type: icwsapi.TypeICAuth, ApplicationName: "Load model", UserID: a.name, Password: a.name}}
	got, err := r.do(ctx, a.http)
	if err != nil {
		return err
	}
	if got.status != http.StatusCreated {
		return r.unexpected(got)
	}
	a.cookie, _, _ = strings.Cut(got.header.Get("Set-Cookie"), ";")
	return json.Unmarshal(got.body, &a.session)
}

// call makes a call within the session.
func (a *icwsApp) call(ctx context.Context, method, path string, body any) error {
	r := a.request(method, path, body)
	got, err := r.do(ctx, a.http)
	if err == nil && got.status/100 != 2 {
		err = r.unexpected(got)
	}
	return err
}

func (a *icwsApp) gets(path string) deed {
	return func(ctx context.Context) error { return a.call(ctx, http.MethodGet, path, nil) }
}

func (a *icwsApp) request(method, path string, body any) request {
	return request{method, a.base + "/icws/" + a.session.SessionID + path, http.Header{
		"Cookie": {a.cookie}, icwsapi.HeaderCSRFToken: {a.session.CSRFToken}, "Content-Type": {"application/vnd.inin.icws+JSON"},
	}, body}
}

// listen opens the event stream. When the server ends it, the application opens another and subscribes
// anew, for messages may be lost.
func (a *icwsApp) listen(ctx context.Context) error {
	opened := make(chan error, 1)
	a.ear.listen(a.life, func(ear context.Context) {
		stream, err := a.open(ear)
		opened <- err
		for err == nil {
			_, _ = io.Copy(io.Discard, stream.Body) // until it ends
			_ = stream.Body.Close()
			if ear.Err() != nil {
				return
			}
			stream, err = a.open(ear)
			if err == nil {
				err = a.subscribe(ear)
			}
		}
		if ear.Err() == nil {
			a.failed(fmt.Errorf("%s: listen: %w", a.name, err))
		}
	})
	select {
	case err := <-opened:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *icwsApp) open(ctx context.Context) (*http.Response, error) {
	r := a.request(http.MethodGet, "/messaging/messages", nil)
	r.header.Set("Accept", "text/event-stream")
	stream, err := r.send(ctx, a.http)
	if err == nil && stream.StatusCode != http.StatusOK {
		_ = stream.Body.Close()
		err = r.unexpected(answer{status: stream.StatusCode})
	}
	return stream, err
}

// subscribe asks for the agent's status, which comes whole at first.
func (a *icwsApp) subscribe(ctx context.Context) error {
	return a.call(ctx, http.MethodPut, "/messaging/subscriptions/status/user-statuses", icwsapi.UserStatusSubscription{UserIDs: []string{a.name}})
}

func (a *icwsApp) change(ctx context.Context, to state) error {
	return a.call(ctx, http.MethodPut, "/status/user-statuses/"+a.name, icwsapi.UserStatusUpdate{StatusID: to.status})
}

func (a *icwsApp) reload(ctx context.Context) error {
	return inTurn(ctx, a.logOut, a.connect, a.listen, a.subscribe)
}

func (a *icwsApp) foreground(ctx context.Context) error { return a.poll(ctx) }

func (a *icwsApp) reconnect(ctx context.Context) error {
	a.ear.close()
	return inTurn(ctx, a.listen, a.subscribe)
}

func (a *icwsApp) poll(ctx context.Context) error {
	return a.gets("/status/user-statuses/" + a.name)(ctx)
}

func (a *icwsApp) logOut(ctx context.Context) error {
	a.ear.close()
	return a.call(ctx, http.MethodDelete, "/connection", nil)
}

func (a *icwsApp) close() { a.ear.close() }
