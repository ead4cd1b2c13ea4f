package icws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"portico/proxy/fault"
	"portico/proxy/upstream/memhttp"
	"portico/translate/icwsapi"
)

var anna = Credentials{UserID: "anna", Password: "s3cret", Language: "de"}

func TestLogin(t *testing.T) {
	var sent, language, body string
	reply := kept(t, "login-201.http")
	client, reg := newClient(t, at(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		sent, language, body = r.Method+" "+r.RequestURI, r.Header.Get("Accept-Language"), string(content)
		reply(w, r)
	})), func(s *Settings) { s.Marketplace = Marketplace{LicenseName: "PORTICO", Code: "123"} })
	got, err := client.Login(t.Context(), anna)
	if err != nil {
		t.Fatal(err)
	}
	want := Conn{
		Base: base1, SessionID: "1402219001", CSRFToken: "WARhbm5hWAdQb3J0aWNvWA==",
		Cookie: "icws_1402219001=0d8c5a1e-90b7-4e58-8d44-2b6a1d1f7c30|languageId=de",
		UserID: "Anna", DisplayName: "Anna Berg", Language: "de",
		Features: []icwsapi.Feature{{FeatureID: "connection", Version: 11}, {FeatureID: "messaging", Version: 2}, {FeatureID: "status", Version: 1}},
		Version: &icwsapi.Version{MajorVersion: "19", MinorVersion: "3", SU: "4", Build: "38", ProductID: "ic", CodebaseID: "4",
			ProductReleaseDisplayString: "2019 R3", ProductPatchDisplayString: "2019 R3 Patch4"},
		Station: &icwsapi.EffectiveStation{StationID: icwsapi.StationID{ID: "WS-17", DisplayName: "WS-17", URI: "/configuration/stations/WS-17"}},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Conn{}, "Opened")); diff != "" {
		t.Errorf("Login (-want +got):\n%s", diff)
	}
	if want := "POST /icws/connection?include=features,version,effective-station"; sent != want || language != "de" {
		t.Errorf("sent %s in %q; want %s in de", sent, language, want)
	}
	wantBody := `{"__type":"urn:inin.com:connection:icAuthConnectionRequestSettings","applicationName":"Portico",` +
		`"userID":"anna","password":"s3cret","marketPlaceApplicationLicenseName":"PORTICO","marketPlaceApplicationCode":"123"}`
	if body != wantBody {
		t.Errorf("sent %s; want %s", body, wantBody)
	}
	if n := value(t, reg, "portico_logins_total", map[string]string{"outcome": "ok"}); n != 1 {
		t.Errorf("log-ins with outcome ok = %v; want 1", n)
	}
}

func TestLoginTakesWhatItNeedsFromBodyOrHeaders(t *testing.T) {
	answer := func(header map[string]string, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for name, value := range header {
				w.Header().Set(name, value)
			}
			says(201, body)(w, r)
		}
	}
	tests := []struct {
		name  string
		reply http.HandlerFunc
		want  string // id, token, user, cookie
		kind  error
	}{
		{"all in the body", answer(nil, `{"sessionId":"1","csrfToken":"t","userID":"ANNA"}`), "1 t ANNA ", nil},
		{"all in headers", answer(map[string]string{"ININ-ICWS-Session-ID": "1", "ININ-ICWS-CSRF-Token": "t"}, `{}`), "1 t anna ", nil},
		{"no session id", answer(nil, `{"csrfToken":"t"}`), "", fault.BadUpstream},
		{"no token", answer(nil, `{"sessionId":"1"}`), "", fault.BadUpstream},
		{"no body", answer(nil, ``), "", fault.BadUpstream},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			client, _ := newClient(t, at(test.reply), nil)
			conn, err := client.Login(t.Context(), anna)
			if !errors.Is(err, test.kind) {
				t.Fatalf("Login = %v; want %v", err, test.kind)
			}
			got := conn.SessionID + " " + conn.CSRFToken + " " + conn.UserID + " " + conn.Cookie
			if err == nil && got != test.want {
				t.Errorf("Login = %q; want %q", got, test.want)
			}
		})
	}
}

func TestCookies(t *testing.T) {
	tests := []struct {
		name string
		set  []string
		want string
	}{
		{"none", nil, ""},
		{"one, whose attributes are left out", []string{"icws_1=a-b|languageId=en-us; Path=/icws/1; HttpOnly"}, "icws_1=a-b|languageId=en-us"},
		{"several", []string{"icws_1=a; Path=/icws/1", "lb=node2"}, "icws_1=a; lb=node2"},
		{"one set twice", []string{"icws_1=a", "lb=node2", "icws_1=b"}, "icws_1=b; lb=node2"},
		{"without a name or a value", []string{"=a", "b", "", "c="}, "c="},
	}
	for _, test := range tests {
		got := cookies(http.Header{"Set-Cookie": test.set})
		if got != test.want {
			t.Errorf("%s: cookies(%q) = %q; want %q", test.name, test.set, got, test.want)
		}
	}
}

// named answers a log-in with 503 and a list of hosts.
func named(hosts ...string) http.HandlerFunc {
	list, err := json.Marshal(hosts)
	if err != nil {
		panic(err)
	}
	if hosts == nil {
		list = []byte("[]")
	}
	return says(503, `{"errorId":"error.server.notAcceptingConnections","message":"no","alternateHostList":`+string(list)+`}`)
}

func TestLoginFindsItsHost(t *testing.T) {
	ok := kept(t, "login-201.http")
	refused := kept(t, "login-400-refused.http")
	tests := []struct {
		name    string
		handler map[string]http.HandlerFunc // by host, at port 8018; others refuse connections
		edit    func(*Settings)
		want    error // nil, or a kind
		visited string
	}{
		{"the first takes it", map[string]http.HandlerFunc{"ic1.example": ok, "ic2.example": ok}, nil, nil, "ic1"},
		{"the first is down", map[string]http.HandlerFunc{"ic2.example": ok}, nil, nil, "ic2"},
		{"the first is too slow", map[string]http.HandlerFunc{"ic1.example": hang, "ic2.example": ok}, nil, nil, "ic1 ic2"},
		{"the first has no ICWS", map[string]http.HandlerFunc{"ic1.example": http.NotFound, "ic2.example": ok}, nil, nil, "ic1 ic2"},
		{"a proxy before the first has lost it", map[string]http.HandlerFunc{"ic1.example": says(502, "<html>"), "ic2.example": ok}, nil, nil, "ic1 ic2"},
		{"the first names an allowed host, which comes before the second",
			map[string]http.HandlerFunc{"ic1.example": named("ic7.example"), "ic7.example": ok, "ic2.example": ok}, nil, nil, "ic1 ic7"},
		{"hosts are named in another case", map[string]http.HandlerFunc{"ic1.example": named("IC7.Example"), "ic7.example": ok}, nil, nil, "ic1 ic7"},
		{"a chain of lists", map[string]http.HandlerFunc{"ic1.example": named("ic5.example"), "ic5.example": named("ic6.example"), "ic6.example": ok}, nil, nil, "ic1 ic5 ic6"},
		{"the list is empty", map[string]http.HandlerFunc{"ic1.example": named(), "ic2.example": ok}, nil, nil, "ic1 ic2"},
		{"the list is absent", map[string]http.HandlerFunc{"ic1.example": says(503, `{"message":"no"}`), "ic2.example": ok}, nil, nil, "ic1 ic2"},
		{"the list names the host itself", map[string]http.HandlerFunc{"ic1.example": named("ic1.example"), "ic2.example": ok}, nil, nil, "ic1 ic2"},
		{"lists go round", map[string]http.HandlerFunc{"ic1.example": named("ic2.example"), "ic2.example": named("ic1.example", "ic2.example")},
			nil, fault.Unreachable, "ic1 ic2"},
		{"hosts that are not ours are not called",
			map[string]http.HandlerFunc{"ic1.example": named("evil.example", "ic1.evil.example", "ic9.example.evil", "ic9.example:80", "x@ic9.example", "ic9.example/", ""),
				"evil.example": ok, "ic1.evil.example": ok, "ic9.example.evil": ok, "ic9.example": ok},
			nil, fault.Unreachable, "ic1"},
		{"nobody is there", nil, nil, fault.Unreachable, ""},
		{"all are too slow", map[string]http.HandlerFunc{"ic1.example": hang, "ic2.example": hang}, nil, fault.Timeout, "ic1 ic2"},
		{"refused credentials are shown to no other host", map[string]http.HandlerFunc{"ic1.example": refused, "ic2.example": ok}, nil, fault.Unauthenticated, "ic1"},
		{"refused as before 4.0 SU6", map[string]http.HandlerFunc{"ic1.example": kept(t, "login-400-refused-before-su6.http"), "ic2.example": ok},
			nil, fault.Unauthenticated, "ic1"},
		{"refused by the named host", map[string]http.HandlerFunc{"ic1.example": named("ic7.example"), "ic7.example": refused, "ic2.example": ok},
			nil, fault.Unauthenticated, "ic1 ic7"},
		{"another 400", map[string]http.HandlerFunc{"ic1.example": kept(t, "400-missing-property.http"), "ic2.example": ok}, nil, fault.BadUpstream, "ic1"},
		{"no licence", map[string]http.HandlerFunc{"ic1.example": says(403, `{"message":"no licence"}`), "ic2.example": ok}, nil, fault.Forbidden, "ic1"},
		{"an internal error", map[string]http.HandlerFunc{"ic1.example": says(500, `{"message":"oh"}`), "ic2.example": ok}, nil, fault.BadUpstream, "ic1"},
		{"a redirect is not followed", map[string]http.HandlerFunc{
			"ic1.example": http.RedirectHandler("http://ic7.example:8018/icws/connection", http.StatusTemporaryRedirect).ServeHTTP, "ic7.example": ok, "ic2.example": ok},
			nil, fault.BadUpstream, "ic1"},
		{"garbage", map[string]http.HandlerFunc{"ic1.example": says(201, `<html>`), "ic2.example": ok}, nil, fault.BadUpstream, "ic1"},
		{"hosts stand in the path of a proxy",
			map[string]http.HandlerFunc{"proxy.example": func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/api/ic1.example/icws/connection" {
					named("ic8.example")(w, r)
					return
				}
				ok(w, r)
			}},
			func(s *Settings) {
				s.Bases = []string{"http://proxy.example:8018/api/ic1.example"}
				s.Template = "http://proxy.example:8018/api/{host}/"
			}, nil, "proxy/api/ic1.example proxy/api/ic8.example"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var visited log
				network := memhttp.Network{}
				for host, handler := range test.handler {
					network[host+":8018"] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						name, _, _ := strings.Cut(r.Host, ".")
						visited.Add(name + strings.TrimSuffix(r.URL.Path, "/icws/connection"))
						handler(w, r)
					})
				}
				client, _ := newClient(t, network, func(s *Settings) {
					s.Bases = []string{base1, base2}
					s.Alternates = []string{"ic*.example"}
					if test.edit != nil {
						test.edit(s)
					}
				})
				conn, err := client.Login(t.Context(), anna)
				if test.want == nil && err != nil || test.want != nil && fault.KindOf(err) != test.want {
					t.Errorf("Login = %v, %v; want %v", conn, err, test.want)
				}
				if errors.Is(err, fault.Unauthenticated) != (test.want == fault.Unauthenticated) {
					t.Errorf("Login = %v, which must be told from refused credentials", err)
				}
				if got := strings.Join(visited.All(), " "); got != test.visited {
					t.Errorf("visited %s; want %s", got, test.visited)
				}
				if strings.Contains(fmt.Sprint(err), anna.Password) {
					t.Errorf("error %q holds the password", err)
				}
			})
		})
	}
}

func TestLoginCapsItsHops(t *testing.T) {
	var visited log
	client, _ := newClient(t, at(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		visited.Add(r.Host)
		named(fmt.Sprintf("ic%d.example", 100+len(visited.All())))(w, r)
	})), func(s *Settings) { s.Alternates = []string{"ic*.example"} })
	_, err := client.Login(t.Context(), anna)
	if !errors.Is(err, fault.Unreachable) || len(visited.All()) != maxHops {
		t.Errorf("Login along an endless chain = %v after %d hosts; want %v after %d", err, len(visited.All()), fault.Unreachable, maxHops)
	}
}

func TestLoginBeginsAtTheLastGoodHost(t *testing.T) {
	var visited log
	ok := kept(t, "login-201.http") // names ic1 and ic2
	up := map[string]bool{"ic7.example:8018": true}
	client, _ := newClient(t, at(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		visited.Add(r.Host)
		if up[r.Host] {
			ok(w, r)
			return
		}
		named("ic7.example")(w, r)
	})), func(s *Settings) { s.Alternates = []string{"ic*.example"} })
	login := func() {
		t.Helper()
		_, err := client.Login(t.Context(), anna)
		if err != nil {
			t.Fatal(err)
		}
	}
	login() // ic1 sends us to ic7
	login() // ic7 at once
	up = map[string]bool{"ic2.example:8018": true}
	login() // ic7 fails, ic1 too, and ic2 was learned from the first answer
	login() // ic2 at once
	want := "ic1.example:8018 ic7.example:8018 ic7.example:8018 ic7.example:8018 ic1.example:8018 ic2.example:8018 ic2.example:8018"
	if got := strings.Join(visited.All(), " "); got != want {
		t.Errorf("visited %s; want %s", got, want)
	}
}

func TestLoginGivesUpWithItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, reg := newClient(t, at(http.HandlerFunc(hang)), func(s *Settings) { s.Bases = []string{base1, base2} })
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err := client.Login(ctx, anna)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Login = %v; want %v", err, context.Canceled)
		}
		if n := value(t, reg, "portico_logins_total", nil); n != 0 {
			t.Errorf("log-ins counted = %v; want none: the site did nothing wrong", n)
		}
		if n := value(t, reg, "portico_upstream_requests_total", nil); n != 1 {
			t.Errorf("requests = %v; want 1", n)
		}
	})
}

func TestLoginOutcomes(t *testing.T) {
	for outcome, reply := range map[string]http.HandlerFunc{
		"ok":      kept(t, "login-201.http"),
		"refused": kept(t, "login-400-refused.http"),
		"error":   says(500, ""),
	} {
		client, reg := newClient(t, at(reply), nil)
		_, err := client.Login(t.Context(), anna)
		if n := value(t, reg, "portico_logins_total", map[string]string{"outcome": outcome}); n != 1 {
			t.Errorf("log-ins with outcome %s = %v; want 1 (%v)", outcome, n, err)
		}
	}
}
