package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"portico/cache"
	"portico/proxy/fault"
	"portico/proxy/gateway"
	"portico/proxy/icws"
	"portico/proxy/icws/icwssim"
	"portico/proxy/session"
	"portico/proxy/upstream"
	"portico/proxy/watch"
	"portico/translate"
	"portico/translate/htccapi"
)

const site, routeCatalogue = "pureconnect", "GET /icws/{sessionId}/status/status-messages"

// An office is an operators' door with agents logged in behind it.
type office struct {
	t       *testing.T
	door    http.Handler
	sim     *icwssim.Server
	gateway *gateway.Gateway
	agents  []*gateway.Agent
	log     bytes.Buffer
}

// inOffice runs a test in an office of anna and bjorn, who have the catalogue.
func inOffice(t *testing.T, settings Settings, change func(*gateway.Site), test func(o *office)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o := &office{t: t, sim: &icwssim.Server{}}
		reg := prometheus.NewRegistry()
		at := gateway.Site{Name: site, Language: "en-us", Rules: translate.Rules{Site: site, Channels: []translate.Channel{{Name: htccapi.Voice}}},
			ICWS: icws.New(icws.Settings{Site: site, Bases: []string{"http://ic1.example:8018"}, HTTP: o.sim.Transport(),
				Limits: upstream.Limits{BreakerCalls: 20, BreakerWithin: time.Minute, BreakerPause: time.Second}, Metrics: upstream.NewMetrics(reg, []string{site})})}
		if change != nil {
			change(&at)
		}
		var err error
		o.gateway, err = gateway.New(gateway.Settings{Sites: []gateway.Site{at}, Store: session.NewMemory(),
			Policy: gateway.Policy{Idle: time.Hour, MaxBytes: 1 << 20, Route: func(login string) (gateway.Route, bool) {
				return gateway.Route{Stops: []gateway.Stop{{Site: site, Login: login}}}, true
			}}, Cache: cache.NewMetrics(reg, site), Metrics: gateway.NewMetrics(reg, site)})
		if err != nil {
			t.Fatal(err)
		}
		settings.Gatherer, settings.Registerer, settings.Gateway, settings.Draining = reg, reg, o.gateway, func() bool { return false }
		settings.Log = slog.New(slog.NewJSONHandler(&o.log, nil))
		o.door = New(settings)
		ended := make(chan error, 1)
		go func() { ended <- o.gateway.Run(t.Context()) }()
		time.Sleep(time.Second)
		for _, name := range []string{"anna", "agent0001"} {
			agent, err := o.gateway.Login(t.Context(), gateway.Caller{Basic: true, Login: name, Password: name})
			if err != nil {
				t.Fatal(err)
			}
			o.agents = append(o.agents, agent)
			time.Sleep(time.Second)
			o.need()
		}
		time.Sleep(time.Minute)
		test(o)
		o.gateway.Close(t.Context())
		o.sim.Close()
	})
}

// need has every agent read the catalogue.
func (o *office) need() {
	o.t.Helper()
	for _, agent := range o.agents {
		_, err := o.gateway.StatusMessages(o.t.Context(), agent, htccapi.DialectStatus, false, func(string) bool { return false })
		if err != nil {
			o.t.Fatal(err)
		}
	}
}

// ask asks the door.
func (o *office) ask(method, path, body string) (int, string) {
	request := httptest.NewRequestWithContext(o.t.Context(), method, "http://localhost"+path, strings.NewReader(body))
	answer := httptest.NewRecorder()
	o.door.ServeHTTP(answer, request)
	return answer.Code, answer.Body.String()
}

// view reads a view.
func view[T any](o *office, path string) T {
	o.t.Helper()
	status, body := o.ask("GET", path, "")
	var got T
	err := json.Unmarshal([]byte(body), &got)
	if status != http.StatusOK || err != nil {
		o.t.Fatalf("GET %s = %d %s", path, status, body)
	}
	return got
}

type sessionsView struct{ Sessions []gateway.SessionView }

func TestSessionsAreShownWithoutSecrets(t *testing.T) {
	for _, named := range []bool{false, true} {
		inOffice(t, Settings{Open: true, Logins: func() bool { return named }}, nil, func(o *office) {
			got := view[sessionsView](o, "/sessions").Sessions
			if len(got) != 2 || got[0].Parts[0].Site != site || !got[0].Parts[0].Live || got[0].Parts[0].Language != "en-us" || len(got[0].Session) != 8 {
				t.Fatalf("sessions: %+v", got)
			}
			if wanted := map[bool]string{true: "anna"}[named]; got[0].Login != wanted {
				t.Errorf("login names shown %v: %q; want %q", named, got[0].Login, wanted)
			}
			_, text := o.ask("GET", "/sessions?site="+site, "")
			for _, secret := range []string{o.agents[0].SessionID(), "29113001", "icws_"} {
				if strings.Contains(text, secret) || !named && strings.Contains(text, "anna") {
					t.Errorf("the view shows what it must not: %s", text)
				}
			}
			if status, body := o.ask("GET", "/sessions?site=elsewhere", ""); status != 404 || body != `{"error":"there is no site \"elsewhere\""}` {
				t.Errorf("sessions of a site that there is not = %d %s; want 404", status, body)
			}
		})
	}
}

func TestSitesAreShownWithReadersAndBreakers(t *testing.T) {
	inOffice(t, Settings{Open: true}, nil, func(o *office) {
		status, got := o.ask("GET", "/sites", "")
		const want = `{"sites":[{"site":"pureconnect","kind":"icws","up":true,"sessions":2,"readers":{"live":2,"broken":0},` +
			`"breakers":[{"host":"ic1.example:8018","state":"closed"}]}]}`
		if status != 200 || got != want {
			t.Errorf("sites: %d %s\nwant %s", status, got, want)
		}
	})
}

// TestAnOperatorEndsASession by its name in the log, and by a login name.
func TestAnOperatorEndsASession(t *testing.T) {
	inOffice(t, Settings{Open: true}, nil, func(o *office) {
		anna, other := o.gateway.ShortName(o.agents[0]), o.gateway.ShortName(o.agents[1])
		for _, test := range []struct {
			path   string
			status int
			answer string
			left   int
		}{
			{"/sessions", 400, `{"error":"want DELETE /sessions/NAME with its name in the log, or DELETE /sessions?login=NAME"}`, 2},
			{"/sessions/elsewhere", 404, `{"error":"no session \"elsewhere\" is known here"}`, 2},
			{"/sessions?login=bjorn", 404, `{"error":"nobody is logged in under that name"}`, 2},
			{"/sessions/" + anna, 200, `{"session":"` + anna + `"}`, 1},
			{"/sessions/" + anna, 404, `{"error":"no session \"` + anna + `\" is known here"}`, 1},
			{"/sessions?login=AGENT0001", 200, `{"session":"` + other + `"}`, 0},
		} {
			status, body := o.ask("DELETE", test.path, "")
			time.Sleep(time.Second)
			if left := len(o.gateway.Sessions("", false)); status != test.status || body != test.answer || left != test.left {
				t.Errorf("DELETE %s = %d %s, %d sessions left; want %d %s, %d", test.path, status, body, left, test.status, test.answer, test.left)
			}
		}
		for _, name := range []string{"anna", "agent0001"} {
			_, err := o.gateway.Login(t.Context(), gateway.Caller{Basic: true, Login: name, Password: name})
			if !errors.Is(err, fault.Unauthenticated) {
				t.Errorf("the application of %s at once logs in again: %v", name, err)
			}
			if state, err := o.sim.State(name); err != nil || state.Sessions != 0 {
				t.Errorf("the site has %d sessions of %s, %v; want none", state.Sessions, name, err)
			}
		}
		if text := o.log.String(); strings.Count(text, `"operation":"end_session"`) != 2 || strings.Contains(text, "anna") {
			t.Errorf("the log says %s; want two ends, and no login name", text)
		}
	})
}

type cacheView struct {
	Catalogues []gateway.CatalogueView
	FormBytes  int64
}

func TestCacheIsShownAndPurged(t *testing.T) {
	for _, test := range []struct {
		name        string
		change      func(*gateway.Site)
		first, next int // fetches of the catalogue: before, and with the purge and the next need
	}{
		{"a catalogue each", nil, 2, 2},
		{"a shared catalogue", func(s *gateway.Site) { s.ShareCatalogue = true }, 1, 1},
		{"a service that watches", func(s *gateway.Site) {
			s.Service = watch.User{UserID: "portico", Password: "portico"}
			s.KeepAlive = 90 * time.Second
		}, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			inOffice(t, Settings{Open: true}, test.change, func(o *office) {
				got := view[cacheView](o, "/cache")
				if len(got.Catalogues) != 1 || got.Catalogues[0].Sessions != 2 || got.Catalogues[0].Unproven != 0 || got.Catalogues[0].Messages == 0 || got.FormBytes == 0 {
					t.Errorf("cache: %+v", got)
				}
				fetched := func() int { return o.sim.Calls()[routeCatalogue] }
				if fetched() != test.first {
					t.Errorf("%d fetches before the purge; want %d", fetched(), test.first)
				}
				for path, want := range map[string]int{"/cache/purge?site=pureconnect&language=de": 200, "/cache/purge?site=elsewhere": 404,
					"/cache/purge": 400, "/cache/purge?language=en-us": 400} {
					status, body := o.ask("POST", path, "")
					if status != want || want == 400 && body != `{"error":"want POST /cache/purge?site=NAME"}` {
						t.Errorf("POST %s = %d %s; want %d", path, status, body, want)
					}
				}
				o.need()
				if fetched() != test.first {
					t.Errorf("a purge of something else cost %d fetches", fetched()-test.first)
				}
				status, body := o.ask("POST", "/cache/purge?site=pureconnect&language=EN-US", "")
				if status != 200 || !strings.Contains(body, `"sessions":`) {
					t.Errorf("purge: %d %s", status, body)
				}
				began := time.Now()
				o.need()
				if took := time.Since(began); took > time.Second {
					t.Errorf("the need after a purge took %v", took)
				}
				if got := fetched() - test.first; got != test.next {
					t.Errorf("%d fetches with the purge; want %d", got, test.next)
				}
				if got := view[cacheView](o, "/cache"); got.Catalogues[0].Sessions != 2 || got.Catalogues[0].Unproven != 0 {
					t.Errorf("cache afterwards: %+v", got)
				}
				if text := o.log.String(); !strings.Contains(text, `"operation":"purge","site":"pureconnect"`) || strings.Contains(text, "elsewhere") {
					t.Errorf("the log says %s; want the purges of what there is", text)
				}
			})
		})
	}
}

func TestLevelOfTheLog(t *testing.T) {
	level := new(slog.LevelVar)
	inOffice(t, Settings{Open: true, Level: level}, nil, func(o *office) {
		for _, test := range []struct {
			method, body string
			status       int
			answer       string
			want         slog.Level
		}{
			{"GET", "", 200, `{"level":"info"}`, slog.LevelInfo},
			{"PUT", `{"level":"debug"}`, 200, `{"level":"debug"}`, slog.LevelDebug},
			{"GET", "", 200, `{"level":"debug"}`, slog.LevelDebug},
			{"PUT", `{"level":"loud"}`, 400, `{"error":"want {\"level\":\"debug\"}, info, warn or error"}`, slog.LevelDebug},
			{"PUT", `debug`, 400, `{"error":"want {\"level\":\"debug\"}, info, warn or error"}`, slog.LevelDebug},
			{"PUT", `{"level":"warn"}`, 200, `{"level":"warn"}`, slog.LevelWarn},
		} {
			status, body := o.ask(test.method, "/log/level", test.body)
			if status != test.status || body != test.answer || level.Level() != test.want {
				t.Errorf("%s %s = %d %s, level %v; want %d %s, %v", test.method, test.body, status, body, level.Level(), test.status, test.answer, test.want)
			}
		}
	})
}

func TestViewsAskForTheToken(t *testing.T) {
	inOffice(t, Settings{Token: "s3cret"}, nil, func(o *office) {
		for _, asked := range []string{"GET /sites", "GET /sessions", "DELETE /sessions", "DELETE /sessions/0a1b2c3d", "GET /cache", "POST /cache/purge", "GET /log/level", "PUT /log/level"} {
			method, path, _ := strings.Cut(asked, " ")
			if status, _ := o.ask(method, path, ""); status != http.StatusUnauthorized {
				t.Errorf("%s without the token = %d; want 401", asked, status)
			}
		}
	})
}

// TestOddRequestsOfOperators has methods and parameters that there are not.
func TestOddRequestsOfOperators(t *testing.T) {
	inOffice(t, Settings{Open: true}, nil, func(o *office) {
		o.need()
		for _, test := range []struct {
			method, path string
			status       int
			says         string
		}{
			{"HEAD", "/healthz", 200, ""},
			{"HEAD", "/readyz/elsewhere", 404, ""},
			{"HEAD", "/metrics", 200, ""},
			{"OPTIONS", "/healthz", 405, ""},
			{"POST", "/sites", 405, ""},
			{"GET", "/elsewhere", 404, ""},
			{"POST", "/cache/purge?site=pureconnect&langage=de", 400, `there is no parameter \"langage\" here`},
			{"GET", "/sessions?sight=pureconnect", 400, `there is no parameter \"sight\" here`},
			{"DELETE", "/sessions?login=agent0001&site=elsewhere", 400, `there is no parameter \"site\" here`},
			{"DELETE", "/sessions/" + o.gateway.ShortName(o.agents[0]) + "?dry=true", 400, `there is no parameter \"dry\" here`},
			{"DELETE", "/sessions?login=agent0001&login=agent0002", 400, `parameter \"login\" is there twice`},
			{"GET", "/sessions?site=pureconnect&site=elsewhere", 400, `parameter \"site\" is there twice`},
			{"POST", "/cache/purge?site=pureconnect&language=de&language=en-us", 400, `parameter \"language\" is there twice`},
			{"POST", "/cache/purge?site=pureconnect&language=de;", 400, `the parameters cannot be read`},
		} {
			status, body := o.ask(test.method, test.path, "")
			if status != test.status || !strings.Contains(body, test.says) {
				t.Errorf("%s %s = %d %s; want %d with %q", test.method, test.path, status, body, test.status, test.says)
			}
		}
		if left := len(o.gateway.Sessions("", false)); left != 2 {
			t.Errorf("%d sessions are left; want both", left)
		}
	})
}
