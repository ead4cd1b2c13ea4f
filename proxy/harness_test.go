package proxy

import (
	"bytes"
	"context"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"portico/cache"
	"portico/proxy/gateway"
	"portico/proxy/htcc"
	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws"
	"portico/proxy/icws/icwssim"
	"portico/proxy/push"
	"portico/proxy/quick"
	"portico/proxy/session"
	"portico/proxy/tracing"
	"portico/proxy/upstream"
	"portico/translate"
	"portico/translate/htccapi"
)

// TestMain holds the tests to leave no goroutine. Those of toxiproxy stay when a toxic closes a connection
// on which there was still something to come.
func TestMain(m *testing.M) {
	const toxiproxy = "github.com/Shopify/toxiproxy/v2"
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction(toxiproxy+".(*ToxicLink).read"), goleak.IgnoreAnyFunction(toxiproxy+"/toxics.(*ToxicStub).Run"))
}

// The sites.
const (
	site  = "pureconnect"
	cloud = "cloud"
)

// A world is the whole way of a request: a door on a socket, the gateway, the clients of both kinds of
// site, and a simulated site of each on other sockets. bjorn, and those named gws1 and so on, work on
// HTCC; cleo on both, with voice on PureConnect, chat and email on HTCC; everybody else on PureConnect.
type world struct {
	t       testing.TB
	url     string // of the door
	direct  string // URL of the HTCC site
	handler http.Handler
	sim     *icwssim.Server
	cloud   *htccsim.Server
	gateway *gateway.Gateway
	reg     *prometheus.Registry
	log     *logged
	client  *http.Client
	quickly atomic.Int32 // reads that were answered before net/http
	handled atomic.Int32 // changes that were handled before it
	polls   atomic.Int32 // requests of CometD that were answered on connections taken over
}

// knobs are what a test can set before its world begins.
type knobs struct {
	url     string // of the door that is to be
	sim     *icwssim.Server
	cloud   *htccsim.Server
	before  func(http.Handler) http.Handler // stands before cloud; nil for nothing
	door    Settings
	gateway gateway.Settings
	site    gateway.Site
	icws    icws.Settings // of the client of the ICWS site; what stands here counts
	htcc    htcc.Settings // of the client of the HTCC site; likewise
	allows  bool          // cloud takes requests for other protocols
	timeout time.Duration // of upstream calls
	tracer  *tracing.Tracer
	push    *push.Options // of newPushing; nil for its own
	returns *push.Returns // of connections to the door
}

// route is where the agents work.
func route(login string) (gateway.Route, bool) {
	pureconnect, htcc := gateway.Stop{Site: site, Login: login}, gateway.Stop{Site: cloud, Login: login}
	switch {
	case login == "bjorn", strings.HasPrefix(login, "gws"):
		return gateway.Route{Stops: []gateway.Stop{htcc}}, true
	case login == "cleo":
		return gateway.Route{Stops: []gateway.Stop{pureconnect, htcc},
			Channels: map[htccapi.MediaChannel]string{htccapi.Voice: site, "chat": cloud, "email": cloud}}, true
	}
	return gateway.Route{Stops: []gateway.Stop{pureconnect}}, true
}

// newKnobs returns what stands in a world unless a test says otherwise.
func newKnobs(reg *prometheus.Registry, url string, records *slog.Logger) *knobs {
	return &knobs{
		sim:   &icwssim.Server{},
		cloud: &htccsim.Server{},
		door: Settings{PublicURL: "https://agents.example", HTCCVersion: "8.5.202.96",
			Passthrough: []string{"/api/v2", "/internal-api", "/api/v1/stats"}, Places: NewPlaces(defaultPlaces, reg), Metrics: NewMetrics(reg), Logger: records},
		timeout: 5 * time.Second,
		gateway: gateway.Settings{
			Policy: gateway.Policy{Route: route, Idle: 30 * time.Minute, MaxBytes: 1 << 20},
			Store:  session.NewMemory(),
			Cache:  cache.NewMetrics(reg, site, cloud), Metrics: gateway.NewMetrics(reg, site, cloud), Logger: records,
		},
		url: url,
		site: gateway.Site{Name: site, Language: "en-us", Rules: translate.Rules{Site: site, PublicURL: "https://agents.example",
			Channels: []translate.Channel{
				{Name: htccapi.Voice, Workgroups: []string{"Sales", "Support"}}, {Name: "email", Workgroups: []string{"Mail"}}}}},
	}
}

// newDoor returns a running world, which ends with the test.
func newDoor(t testing.TB, options ...func(*knobs)) *world {
	t.Helper()
	reg := prometheus.NewRegistry()
	server := httptest.NewUnstartedServer(nil)
	panics := &logged{}
	server.Config.ErrorLog = log.New(panics, "", 0)
	w := &world{t: t, reg: reg, log: &logged{}, url: "http://" + server.Listener.Addr().String()}
	k := newKnobs(reg, w.url, slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	k.returns = push.NewReturns(server.Listener.Addr())
	for _, option := range options {
		option(k)
	}
	if k.icws.Bases == nil {
		icwsURL, icwsTransport := serve(t, k.sim)
		k.icws.Bases, k.icws.HTTP, k.icws.Calls = []string{icwsURL}, icwsTransport, &upstream.Calls{Transport: icwsTransport}
	}
	if k.htcc.Bases == nil {
		var before http.Handler = k.cloud
		if k.before != nil {
			before = k.before(before)
		}
		htccURL, htccTransport := serve(t, before)
		k.htcc.Bases, k.htcc.HTTP = []string{htccURL}, htccTransport
	}
	w.direct = k.htcc.Bases[0]
	w.build(k)
	server.Config.Handler = w.handler
	w.hasten(server)
	server.Start()
	go func() { _ = server.Config.Serve(k.returns) }()
	w.client = newClient()
	t.Cleanup(func() {
		w.client.CloseIdleConnections()
		_ = k.returns.Close()
		server.Close()
		if text := panics.String(); strings.Contains(text, "panic") {
			t.Errorf("the door's server says: %s", text)
		}
		w.close()
	})
	return w
}

// build puts a world together from the sites' clients to the door.
func (w *world) build(k *knobs) {
	w.t.Helper()
	w.sim, w.cloud = k.sim, k.cloud
	calls := upstream.NewMetrics(w.reg, []string{site, cloud})
	k.icws.Site, k.icws.Application, k.icws.Language, k.icws.Timeout, k.icws.Metrics = site, "Portico", "en-us", k.timeout, calls
	k.icws.Tracer, k.icws.TellTrace, k.htcc.Tracer, k.htcc.TellTrace = k.tracer, true, k.tracer, true
	k.gateway.Tracer, k.door.Tracer = k.tracer, k.tracer
	k.site.ICWS = icws.New(k.icws)
	k.htcc.Site, k.htcc.Timeout, k.htcc.PassthroughTimeout, k.htcc.Metrics = cloud, k.timeout, k.timeout, calls
	k.gateway.Sites = []gateway.Site{k.site, {Name: cloud, Upgrades: k.allows, HTCC: htcc.New(k.htcc)}}
	var err error
	w.gateway, err = gateway.New(k.gateway)
	if err != nil {
		w.t.Fatal(err)
	}
	k.door.Gateway = w.gateway
	w.handler = New(k.door)
}

// close ends all sessions at sites that are well, and the sites. What was counted must fit together.
func (w *world) close() {
	if _, err := w.reg.Gather(); err != nil {
		w.t.Error(err)
	}
	w.sim.Reset()
	w.cloud.Reset()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	w.gateway.Close(ctx)
	w.sim.Close()
	w.cloud.Close()
}

// serve puts a site on a socket until the test ends, and returns its URL and a transport of its own.
func serve(t testing.TB, site http.Handler) (string, *http.Transport) {
	t.Helper()
	server := httptest.NewUnstartedServer(site)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of answers that break off
	server.Start()
	transport := http.DefaultTransport.(*http.Transport).Clone() // as in operation
	transport.MaxIdleConnsPerHost = 300
	transport.ExpectContinueTimeout = time.Minute
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL, transport
}

// newClient returns a client that shows answers as they are: compressed, and without following
// redirects.
func newClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 300},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// An answer is what came back, read whole.
type answer struct {
	status int
	header http.Header
	body   string
}

// do sends a request. Headers are names and values in turn; an empty value removes the header.
func (w *world) do(method, path, body string, headers ...string) answer {
	w.t.Helper()
	request, err := http.NewRequest(method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	response, err := w.client.Do(request)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{response.StatusCode, response.Header, string(content)}
}

// A caller is an agent's application, which sends the same headers with every request.
type caller struct {
	*world
	headers []string
}

// as returns an application that sends the agent's name, which is their password too, every time.
func (w *world) as(agent string, headers ...string) *caller {
	return &caller{w, append([]string{"Authorization", basicAuth(agent, agent)}, headers...)}
}

// with returns an application that has a session's cookie.
func (w *world) with(cookie string) *caller {
	return &caller{w, []string{"Cookie", "JSESSIONID=" + cookie}}
}

func (c *caller) get(path string, headers ...string) answer {
	c.t.Helper()
	return c.do(http.MethodGet, path, "", append(c.headers, headers...)...)
}

func (c *caller) post(path, body string) answer {
	c.t.Helper()
	return c.do(http.MethodPost, path, body, c.headers...)
}

// operate posts an operation in dialect Status and wants it done.
func (c *caller) operate(path, operation string) {
	c.t.Helper()
	got := c.post(path, `{"operationName":"`+operation+`"}`)
	if got.status != http.StatusOK || got.body != `{"status":"ok"}` {
		c.t.Fatalf("POST %s %s = %d %s; want ok", path, operation, got.status, got.body)
	}
}

// is holds an answer to a status and a body.
func (a answer) is(t testing.TB, what string, status int, body string) {
	t.Helper()
	if a.status != status || a.body != body {
		t.Errorf("%s = %d %s\nwant %d %s", what, a.status, a.body, status, body)
	}
}

func basicAuth(name, password string) string {
	request := &http.Request{Header: http.Header{}}
	request.SetBasicAuth(name, password)
	return request.Header.Get("Authorization")
}

// cookieOf returns the value of the session cookie that an answer sets, "" if none.
func cookieOf(a answer) string {
	response := http.Response{Header: a.header}
	for _, cookie := range response.Cookies() {
		if cookie.Name == cookieName {
			return cookie.Value
		}
	}
	return ""
}

// calls returns how often the site was asked for a route.
func (w *world) calls(route string) int { return w.sim.Calls()[route] }

// Routes of the site that tests count.
const (
	routeLogin     = "POST /icws/connection"
	routeCatalogue = "GET /icws/{sessionId}/status/status-messages"
	routeStatus    = "GET /icws/{sessionId}/status/user-statuses/{userId}"
	routeSetStatus = "PUT /icws/{sessionId}/status/user-statuses/{userId}"
	routeActivate  = "PUT /icws/{sessionId}/activations/users/{userId}"
)

// eventually waits until holds does, and says what it waited for when that takes too long.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	patiently(t, soon, what, holds)
}

// patiently is eventually with another time that is too long.
func patiently(t testing.TB, limit time.Duration, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// over waits until every request that was answered is over, beside connects and streams that are held. A caller
// may have the answer before: that a request is counted and logged comes last.
func (w *world) over(t testing.TB) {
	t.Helper()
	eventually(t, "what was answered is over", func() bool {
		return counts(t, w.reg, "portico_http_requests_in_flight")["request"] == 0
	})
}

// logged is a log that may be read while it is written.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logged) length() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Len()
}

// since returns what came after so many bytes.
func (l *logged) since(length int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text.Bytes()[length:])
}

func dialectOf(name string) htccapi.Dialect { return htccapi.Dialect(name) }

func contextOf(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithCancel(r.Context())
}

// hasten has a server's requests answered as in operation, before net/http reads them where that can be.
func (w *world) hasten(server *httptest.Server) {
	door := w.handler.(*Door)
	answer := func(out io.Writer, r *quick.Request) bool {
		answered := door.Quick(out, r)
		if answered {
			w.quickly.Add(1)
		}
		return answered
	}
	handler := http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		w.handled.Add(1)
		w.handler.ServeHTTP(out, r)
	})
	server.Listener = &quick.Listener{Listener: server.Listener, Settings: quick.Settings{Answer: answer, Handler: handler, Handles: door.Handles, Write: door.WriteTimeout, Idle: time.Minute}}
	server.Config.IdleTimeout = time.Minute
	server.Config.ConnState = noteQuickly
}

// next is what push.Options call Next.
func (w *world) next(line *push.Line, came []byte) bool {
	answered := w.handler.(*Door).Poll(line, came)
	if answered {
		w.polls.Add(1)
	}
	return answered
}

// noteQuickly is a ConnState to which everybody is known.
func noteQuickly(conn net.Conn, state http.ConnState) {
	swift, ok := conn.(*quick.Conn)
	if ok {
		swift.Note(state, true)
	}
}
