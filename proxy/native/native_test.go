package native

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"portico/cache"
	"portico/proxy/icws"
	"portico/proxy/icws/icwssim"
	"portico/proxy/session"
	"portico/proxy/upstream"
)

// proven is a catalogue that is proven, or not, as a test says.
type proven struct {
	bodies map[string]string // by language
	asked  atomic.Int64
}

func (p *proven) Proven(_, language string) ([]byte, bool) {
	p.asked.Add(1)
	body, ok := p.bodies[language]
	return []byte(body), ok
}

// An app is an ICWS application that keeps what the log-in gave it.
type app struct {
	*world
	session, token, cookie, host string
}

// A world is a proxy of a simulated site, where everybody may try to log in.
type world struct {
	*Proxy
	t   testing.TB
	sim *icwssim.Server
}

func newWorld(t testing.TB, sim *icwssim.Server) *world {
	t.Helper()
	return newWorldOver(t, sim, sim.Transport())
}

// newWorldOver returns one whose site is reached by a transport.
func newWorldOver(t testing.TB, sim *icwssim.Server, transport http.RoundTripper) *world {
	t.Helper()
	reg := prometheus.NewRegistry()
	client := icws.New(icws.Settings{Site: "pureconnect", Bases: []string{"http://ic1.example:8018"}, Application: "Portico",
		Language: "en-us", Timeout: 5 * time.Second, HTTP: transport, Metrics: upstream.NewMetrics(reg, []string{"pureconnect"})})
	proxy := New(Site{Name: "pureconnect", ICWS: client, Key: session.NewKey(), Cells: cache.NewMetrics(reg, "pureconnect"),
		Languages: func(context.Context) []string { return []string{"en-us", "de"} },
		Logins: Logins{
			MayTry: func(context.Context, string, netip.Addr) error { return nil },
			Tried:  func(context.Context, string, netip.Addr, error) {},
			Enter:  func(context.Context, string, netip.Addr) (func(), error) { return func() {}, nil },
			Opened: func(string) {},
		}})
	t.Cleanup(func() {
		proxy.Close()
		sim.Close()
	})
	return &world{Proxy: proxy, t: t, sim: sim}
}

// opens logs a user in, with their name as password.
func (w *world) opens(user, language string) *app {
	w.t.Helper()
	body := fmt.Sprintf(`{"__type":"urn:inin.com:connection:icAuthConnectionRequestSettings","applicationName":"Own","userID":%q,"password":%q}`, user, user)
	req := w.request(http.MethodPost, "/icws/connection", body)
	req.Header.Set("Accept-Language", language)
	passage := w.Passage(nil)
	res, err := passage.RoundTrip(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	var opened struct{ SessionID, CSRFToken string }
	err = json.NewDecoder(res.Body).Decode(&opened)
	if err != nil || passage.Session != opened.SessionID {
		w.t.Fatalf("log-in = %d of session %q (%v); want %q", res.StatusCode, passage.Session, err, opened.SessionID)
	}
	cookie, _, _ := strings.Cut(res.Header.Get("Set-Cookie"), ";")
	return &app{w, opened.SessionID, opened.CSRFToken, cookie, passage.Host}
}

// request makes one as the door hands it on.
func (w *world) request(method, path, body string) *http.Request {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, "/", strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if body == "" {
		req.Body = http.NoBody
	}
	req.URL, err = url.Parse(path)
	if err != nil {
		w.t.Fatal(err)
	}
	return req
}

// ask sends a request of the session and returns status and body.
func (a *app) ask(method, path string) (int, string) {
	a.t.Helper()
	res := a.send(a.t.Context(), method, path, "")
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func (a *app) send(ctx context.Context, method, path, accept string) *http.Response {
	a.t.Helper()
	req := a.request(method, "/icws/"+a.session+path, "").WithContext(ctx)
	req.Header.Set("Cookie", a.cookie)
	req.Header.Set("ININ-ICWS-CSRF-Token", a.token)
	req.Header.Set("Accept", accept)
	res, err := a.Passage([]string{a.host}).RoundTrip(req)
	if err != nil {
		a.t.Fatal(err)
	}
	return res
}

const (
	pathCatalogue   = "/status/status-messages"
	callCatalogue   = "GET /icws/{sessionId}/status/status-messages"
	callOpenVersion = "GET /icws/connection/version"
	keptCatalogue   = `{"statusMessageList":[{"statusId":"kept"}]}`
)

// fromCache reports whether the catalogue came from the cache.
func (a *app) fromCache() bool {
	a.t.Helper()
	before := a.sim.Calls()[callCatalogue]
	status, body := a.ask("GET", pathCatalogue)
	asked := a.sim.Calls()[callCatalogue] - before
	if asked == 0 && (status != 200 || body != keptCatalogue) {
		a.t.Errorf("from the cache came %d %s", status, body)
	}
	return asked == 0
}

// probe asks whether the site is there.
func (w *world) probe() {
	_ = w.site.ICWS.Probe(w.t.Context())
}

func TestAProvenCatalogueIsTheOwnersForAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{IdleTimeout: -1})
		w.site.Catalogues = &proven{bodies: map[string]string{"en-us": keptCatalogue}}
		anna := w.opens("anna", "en-us")
		if !anna.fromCache() {
			t.Error("after the log-in the catalogue did not come from the cache")
		}
		time.Sleep(provenFor - time.Millisecond)
		if !anna.fromCache() {
			t.Error("within a minute the catalogue did not come from the cache")
		}
		time.Sleep(time.Millisecond)
		if anna.fromCache() {
			t.Error("the catalogue came from the cache after a minute, in which the site had not been asked")
		}
		if !anna.fromCache() {
			t.Error("after the site had answered the catalogue did not come from the cache")
		}
		time.Sleep(rememberedFor)
		w.Sweep()
		for range 2 { // the first answer proves nothing any more
			if anna.fromCache() {
				t.Error("the catalogue came from the cache though the session had been forgotten")
			}
		}
		if n := len(w.sessions.known); n != 0 {
			t.Errorf("%d sessions are remembered; want none", n)
		}
	})
}

func TestAnEventStreamKeepsASessionProven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		w.site.Catalogues = &proven{bodies: map[string]string{"en-us": keptCatalogue}}
		anna := w.opens("anna", "en-us")
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		stream := anna.send(ctx, "GET", "/messaging/messages", "text/event-stream")
		ended := make(chan error)
		go func() {
			_, err := io.Copy(io.Discard, stream.Body)
			_ = stream.Body.Close()
			ended <- err
		}()
		time.Sleep(time.Hour)
		if !anna.fromCache() {
			t.Error("while it holds its stream a session is not proven")
		}
		w.LetGo()
		if err := <-ended; err != nil {
			t.Errorf("a stream that was let go ends in %v; want its end", err)
		}
		synctest.Wait()
		if anna.fromCache() {
			t.Error("after its stream a session is proven for longer than a minute")
		}
		late := anna.send(ctx, "GET", "/messaging/messages", "text/event-stream")
		_, err := io.Copy(io.Discard, late.Body)
		if err != nil {
			t.Errorf("a stream that opens while streams are let go ends in %v; want its end", err)
		}
		_ = late.Body.Close()
		if n := len(w.sessions.streams); n != 0 {
			t.Errorf("%d streams are followed; want none", n)
		}
	})
}

func TestAStreamDoesNotOutliveADoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		w.site.Catalogues = &proven{bodies: map[string]string{"en-us": keptCatalogue}}
		anna := w.opens("anna", "en-us")
		stream := anna.send(t.Context(), "GET", "/messaging/messages", "text/event-stream")
		defer stream.Body.Close()
		stranger := *anna
		stranger.token = "wrong"
		stranger.ask("GET", "/connection")
		if anna.fromCache() {
			t.Error("after a 401 a stream alone proved the session")
		}
	})
}

func TestAnAnswerFromBeforeADoubtDoesNotDispelIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		w.site.Catalogues = &proven{bodies: map[string]string{"en-us": keptCatalogue}}
		anna := w.opens("anna", "en-us")
		err := w.sim.Fault(icwssim.Fault{Route: "GET /icws/{sessionId}/status/user-statuses/{userId}", Delay: time.Second, After: true, Times: 1})
		if err != nil {
			t.Fatal(err)
		}
		answered := make(chan int)
		go func() {
			status, _ := anna.ask("GET", "/status/user-statuses/anna")
			answered <- status
		}()
		synctest.Wait()
		stranger := *anna
		stranger.token = "wrong"
		stranger.ask("GET", "/connection")
		<-answered
		if anna.fromCache() {
			t.Error("what was asked before a 401 dispelled the doubt after it")
		}
	})
}

// TestOnlyTheOwnersAnswersProve has a site that is content with a token.
func TestOnlyTheOwnersAnswersProve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{Lenient: true})
		w.site.Catalogues = &proven{bodies: map[string]string{"en-us": keptCatalogue}}
		anna := w.opens("anna", "en-us")
		time.Sleep(provenFor)
		stranger := *anna
		stranger.cookie = "other=1"
		if status, body := stranger.ask("GET", "/status/user-statuses/anna"); status != 200 {
			t.Fatalf("GET = %d %s; want 200", status, body)
		}
		if stranger.fromCache() || anna.fromCache() {
			t.Error("an answer to a request without the session's cookie proved the session")
		}
	})
}

func TestACatalogueIsServedInTheSessionsLanguage(t *testing.T) {
	const german = `{"statusMessageList":[{"statusId":"de"}]}`
	for accept, want := range map[string]string{
		"de": german, "DE": german, "en-us": keptCatalogue, "en-US,en;q=0.9": keptCatalogue, "de;q=0.3, en-us": keptCatalogue,
		"fr": "", "de-AT": "", "application/json": "", "de,en-us": "",
		"deu": "", "ger;q=0.9,en-us;q=0.5": "", "deutsch": "", "deu, de;q=0.9": "", "en_US": "", "en-us, deu;q=0.5": keptCatalogue,
	} {
		for _, told := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, &icwssim.Server{})
				w.site.Catalogues = &proven{bodies: map[string]string{"en-us": keptCatalogue, "de": german}}
				anna := w.opens("anna", accept)
				known := w.sessions.find("http://ic1.example:8018", anna.session)
				if !told { // as over HTTPS
					known.told = ""
				}
				_, body := anna.ask("GET", pathCatalogue)
				fromSite := w.sim.Calls()[callCatalogue] > 0
				if !told && (want == "") != fromSite || want != "" && body != want {
					t.Errorf("%q, told %v: %s; want %q", accept, told, body, want)
				}
				if told && fromSite {
					t.Errorf("%q: the cookie told the language, and the catalogue came from the site", accept)
				}
			})
		}
	}
}

func TestWhatIsNotProvenIsPassedThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		anna := w.opens("anna", "en-us")
		if anna.fromCache() {
			t.Error("a catalogue came from nowhere")
		}
		nothing := &proven{}
		w.site.Catalogues = nothing
		if anna.fromCache() || nothing.asked.Load() != 1 {
			t.Errorf("a catalogue that nothing proves came from the cache, asked %d times", nothing.asked.Load())
		}
		w.site.Catalogues = &proven{bodies: map[string]string{"en-us": keptCatalogue}}
		for _, path := range []string{pathCatalogue + "?x", "/status/Status-Messages", "/status/status-messages-user-access/anna"} {
			_, body := anna.ask("GET", path)
			if body == keptCatalogue {
				t.Errorf("GET %s came from the cache", path)
			}
		}
	})
}

// TestTheReleaseIsAskedAnewWhenItMayHaveChanged has the site away, updated, and asked after hours.
func TestTheReleaseIsAskedAnewWhenItMayHaveChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{IdleTimeout: -1})
		ask := func() bool {
			before := w.releases.kept[releaseID{"http://ic1.example:8018", heldVersion}]
			res, err := w.Passage(nil).RoundTrip(w.request("GET", "/icws/connection/version", ""))
			if err != nil || res.StatusCode != 200 {
				t.Fatalf("GET = %v, %v", res, err)
			}
			_ = res.Body.Close()
			return w.releases.kept[releaseID{"http://ic1.example:8018", heldVersion}].cell != before.cell
		}
		synctest.Wait()
		if first, second := ask(), ask(); !first || second {
			t.Error("the version was not kept")
		}
		time.Sleep(releaseFor - time.Second)
		if ask() {
			t.Error("the version was asked anew before its time")
		}
		time.Sleep(2 * time.Second)
		if !ask() {
			t.Error("the version was kept for longer than its time")
		}
		err := w.sim.Fault(icwssim.Fault{Route: callOpenVersion, Status: 503, Times: 1})
		if err != nil {
			t.Fatal(err)
		}
		w.probe()
		w.probe()
		if first, second := ask(), ask(); !first || second {
			t.Error("the version was kept over an outage, or asked twice after it")
		}
		err = w.sim.Fault(icwssim.Fault{Route: callOpenVersion, Status: 200, Times: 1,
			Body: `{"majorVersion":"20","minorVersion":"1","su":"1","build":"1","productId":"ic","codebaseId":"4"}`})
		if err != nil {
			t.Fatal(err)
		}
		w.probe()
		if !ask() {
			t.Error("the version was kept though a probe saw another")
		}
	})
}
