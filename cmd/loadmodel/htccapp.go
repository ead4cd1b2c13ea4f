package main

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"portico/translate/htccapi"
)

// An htccApp is an application that speaks HTCC: to an HTCC server, or to Portico whatever the agent
// works on. It does what its persona was seen to do.
type htccApp struct {
	agent
	base   string
	http   *http.Client // for resources
	comet  *http.Client // for notifications, always with cookies
	life   context.Context
	failed func(error) // of what the application does by itself

	clientID atomic.Pointer[string] // in CometD
	leaving  atomic.Bool            // no connect follows the one that is held
	ear      ear
}

// newHTCCApp returns an application. All but the client keep cookies.
func newHTCCApp(life context.Context, a agent, base string, by http.RoundTripper, failed func(error)) *htccApp {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic("loadmodel: a cookie jar without options cannot fail: " + err.Error())
	}
	app := &htccApp{agent: a, base: base, life: life, failed: failed, comet: &http.Client{Transport: by, Jar: jar}}
	app.http = app.comet
	if a.persona == client {
		app.http = &http.Client{Transport: by}
	}
	return app
}

// Reads of the agent.
const (
	probeMe = "/api/v2/me?subresources=features,devices,channels"
	stateMe = "/api/v2/me?subresources=devices,channels"
	wholeMe = "/api/v2/me?subresources=*"
	tiledMe = "/api/v2/me/?subresources=devices,calls,channels,interactions,chats" // of the desktop, for all its parts
)

// What an application reads of an HTCC site besides agent state. An ICWS site has nothing of it.
var (
	desktopReads = []string{"/internal-api/me/settings?fields=*", "/api/v2/services?fields=*", "/api/v2/me/groups?type=BusinessUnit&fields=*",
		"/internal-api/contact-center?subresources=businessAttributes", "/api/v2/groups?type=dispositions&fields=*"}
	workReads  = []string{"/api/v2/workbins?fields=*", "/internal-api/lucene/index"}
	phoneReads = []string{"/internal-api/business-attributes", "/api/v2/contacts"}
	wakeReads  = []string{"/api/v2/me/chats/?fields=*", "/api/v2/me/emails/?fields=*", "/api/v1/stats/me"}
)

const (
	agentStates = "/api/v2/settings/agent-states"
	version     = "/api/v2/diagnostics/version"
)

func (a *htccApp) logIn(ctx context.Context) error {
	switch a.persona {
	case desktop:
		return a.logInDesktop(ctx)
	case phone:
		return a.logInPhone(ctx)
	case client:
		return a.logInClient(ctx)
	default:
		return a.logInPanel(ctx)
	}
}

// Source: captured traffic of the agent desktop with GWS 8.5.202.96.
func (a *htccApp) logInDesktop(ctx context.Context) error {
	return inTurn(ctx, a.probe, a.gets(probeMe), a.getsOwn(desktopReads), a.start, a.listen,
		a.gets(version), a.getsOwn(workReads), a.gets(tiledMe), a.operates("/api/v2/me/channels/voice", htccapi.NotReady))
}

// Source: Genesys' HTCC sample for iOS.
func (a *htccApp) logInPhone(ctx context.Context) error {
	return inTurn(ctx, a.gets(wholeMe), a.listen, a.start, a.gets(agentStates), a.getsOwn(phoneReads))
}

// Source: ErnestoGarciaGenesys/GenesysWebServicesClient (CometD first).
func (a *htccApp) logInClient(ctx context.Context) error {
	return inTurn(ctx, a.listen, a.gets(wholeMe), a.start)
}

func (a *htccApp) logInPanel(ctx context.Context) error {
	return inTurn(ctx, a.gets(stateMe), a.gets(agentStates), a.start)
}

// probe asks without credentials whether there is a session, and there is none.
func (a *htccApp) probe(ctx context.Context) error {
	r := a.request(http.MethodGet, probeMe, nil)
	got, err := r.do(ctx, a.http)
	if err == nil && got.status != http.StatusForbidden {
		err = r.unexpected(got)
	}
	return err
}

// start starts the contact centre session with voice and the agent's second channel.
func (a *htccApp) start(ctx context.Context) error {
	second := map[kind]htccapi.MediaChannel{icws: "email", htcc: "chat"}[a.kind]
	return a.call(ctx, http.MethodPost, "/api/v2/me", htccapi.OperationRequest{
		OperationName: htccapi.StartContactCenterSession, Channels: []htccapi.MediaChannel{htccapi.Voice, second}})
}

func (a *htccApp) change(ctx context.Context, to state) error {
	return a.operates("/api/v2/me", htccapi.Operation(to.operation))(ctx)
}

func (a *htccApp) reload(ctx context.Context) error {
	a.ear.close()
	return inTurn(ctx, a.gets(probeMe), a.getsOwn(desktopReads), a.listen, a.gets(version), a.getsOwn(workReads), a.gets(tiledMe))
}

func (a *htccApp) foreground(ctx context.Context) error {
	return inTurn(ctx, a.gets(stateMe), a.getsOwn(wakeReads))
}

// reconnect shakes hands and subscribes anew, and reads what was missed.
func (a *htccApp) reconnect(ctx context.Context) error {
	a.ear.close()
	return inTurn(ctx, a.listen, a.gets(stateMe))
}

func (a *htccApp) poll(ctx context.Context) error { return a.gets(stateMe)(ctx) }

func (a *htccApp) logOut(ctx context.Context) error {
	return inTurn(ctx, a.leave, a.operates("/api/v2/me", htccapi.EndContactCenterSession))
}

func (a *htccApp) close() { a.ear.close() }

func (a *htccApp) gets(path string) deed {
	return func(ctx context.Context) error { return a.call(ctx, http.MethodGet, path, nil) }
}

// getsOwn reads what only an HTCC site has.
func (a *htccApp) getsOwn(paths []string) deed {
	return func(ctx context.Context) error {
		if a.kind != htcc {
			return nil
		}
		for _, path := range paths {
			err := a.call(ctx, http.MethodGet, path, nil)
			if err != nil {
				return err
			}
		}
		return nil
	}
}

func (a *htccApp) operates(path string, operation htccapi.Operation) deed {
	return func(ctx context.Context) error {
		return a.call(ctx, http.MethodPost, path, htccapi.OperationRequest{OperationName: operation})
	}
}

// call makes a call that is to succeed: of what there is to say only statusCode 0 is success.
func (a *htccApp) call(ctx context.Context, method, path string, body any) error {
	r := a.request(method, path, body)
	if !a.hasCookie() {
		r.header.Set("Authorization", a.basic())
	}
	got, err := r.do(ctx, a.http)
	if err == nil && (got.status != http.StatusOK || !strings.HasPrefix(string(got.body), `{"statusCode":0`)) {
		err = r.unexpected(got)
	}
	return err
}

func (a *htccApp) request(method, path string, body any) request {
	return request{method, a.base + path, http.Header{"Accept-Language": {a.language}, "Content-Type": {"application/json"}}, body}
}

func (a *htccApp) basic() string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(a.name+":"+a.name))
}

// hasCookie says whether the application shows a session's cookie. Desktops and panels show credentials
// until they have one, others always.
func (a *htccApp) hasCookie() bool {
	if a.persona == phone || a.persona == client {
		return false
	}
	at, err := url.Parse(a.base)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(a.http.Jar.Cookies(at), func(c *http.Cookie) bool { return c.Name == htccapi.CookieSession })
}
