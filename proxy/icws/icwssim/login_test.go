package icwssim

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"portico/translate/icwsapi"
)

func TestLogInAnswersInHeadersAndBody(t *testing.T) {
	s := &Server{AlternateHosts: []string{"ic1.example", "ic2.example"}}
	inBubble(t, s, func(t *testing.T) {
		c := stranger(t, s)
		got := c.tryLogIn("ANNA", "anna")
		if got.status != http.StatusCreated {
			t.Fatalf("status = %d; want 201", got.status)
		}
		body := got.json(t)
		for name, want := range map[string]string{
			"userID": "anna", "userDisplayName": "Anna Berg", "icServer": "IC1",
			"csrfToken": got.header.Get("ININ-ICWS-CSRF-Token"), "sessionId": got.header.Get("ININ-ICWS-Session-ID"),
		} {
			if body[name] != want || want == "" {
				t.Errorf("body[%q] = %v; want %q", name, body[name], want)
			}
		}
		id := got.header.Get("ININ-ICWS-Session-ID")
		for name, pattern := range map[string]string{
			"Location":                      "^/icws/" + id + "/connection$",
			"Set-Cookie":                    `^icws_` + id + `=[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\|languageId=en-us; Path=/icws/` + id + `; HttpOnly$`,
			"Content-Type":                  `^application/vnd\.inin\.icws\+JSON; charset=utf-8$`,
			"Cache-Control":                 `^no-cache, no-store, must-revalidate$`,
			"Access-Control-Allow-Origin":   `^\*$`,
			"Access-Control-Expose-Headers": `ININ-ICWS-Session-ID`,
		} {
			if !regexp.MustCompile(pattern).MatchString(got.header.Get(name)) {
				t.Errorf("header %s = %q; want %s", name, got.header.Get(name), pattern)
			}
		}
		for _, name := range []string{"features", "version", "serverTimeInfo", "effectiveStation"} {
			if body[name] != nil {
				t.Errorf("%s came unasked", name)
			}
		}
		want(t, "body", got.body, `"alternateHostList":["ic1.example","ic2.example"]`)
	})
}

func TestLogInIncludesWhatIsAskedFor(t *testing.T) {
	s := &Server{Users: []User{{ID: "anna", Password: "anna", Workstation: "WS-17"}}}
	inBubble(t, s, func(t *testing.T) {
		c := stranger(t, s)
		err := s.SetState(StateChange{User: "anna", Stations: &[]string{"WS-17"}})
		if err != nil {
			t.Fatal(err)
		}
		body := strings.NewReplacer("USER", "anna", "PASSWORD", "anna").Replace(loginBody)
		got := c.do("POST", "/icws/connection?include=features,version,server-time&include=effective-station,default-workstation,purecloud-integration", body, "Accept-Language", "en")
		want(t, "body", got.body,
			`"features":[{"featureId":"connection","version":11},{"featureId":"messaging","version":2}`, // an array here
			`"version":{"majorVersion":"19"`, `"serverTimeInfo":{"serverUtcTime":"20000101T000000Z"}`,
			`"effectiveStation":{"stationId":{"id":"WS-17"`, `"defaultWorkstationId":"WS-17"`,
			`"purecloudIntegration":{"integrationEnabled":false`)
	})
}

func TestLogInRefusals(t *testing.T) {
	const icAuth = `"__type":"urn:inin.com:connection:icAuthConnectionRequestSettings","applicationName":"x"`
	const signOn = `"__type":"urn:inin.com:connection:singleSignOnTokenConnectionRequestSettings"`
	for _, test := range []struct {
		name, body, language string
		status               int
		parts                []string
	}{
		{"a wrong password is 400, not 401", `{` + icAuth + `,"userID":"anna","password":"x"}`, "en", 400,
			[]string{`"errorId":"error.request.connection.authenticationFailure"`, `"errorCode":-2147221503`, `"message":"The authentication process failed."`}},
		{"an unknown user gets the same", `{` + icAuth + `,"userID":"nobody","password":"x"}`, "en", 400, []string{`authenticationFailure`, `-2147221503`}},
		{"agent0000 does not exist", `{` + icAuth + `,"userID":"agent0000","password":"agent0000"}`, "en", 400, []string{`authenticationFailure`}},
		{"no password", `{` + icAuth + `,"userID":"anna"}`, "en", 400, []string{`"__type":"urn:inin.com:common:missingPropertyError"`, `"propertyName":"password"`}},
		{"no application name", `{"__type":"urn:inin.com:connection:icAuthConnectionRequestSettings","userID":"anna","password":"anna"}`, "en", 400, []string{`"propertyName":"applicationName"`}},
		{"no __type", `{"userID":"anna","password":"anna"}`, "en", 400, []string{`"propertyName":"__type"`}},
		{"a __type that does not exist", `{"__type":"urn:inin.com:connection:windowsAuthConnectionRequestSettings"}`, "en", 400,
			[]string{`"errorId":"error.request.invalidRepresentation.invalidProperty"`, `"propertyName":"__type"`}},
		{"a value of the wrong type", `{` + icAuth + `,"userID":7,"password":"anna"}`, "en", 400, []string{`"propertyName":"userID"`}},
		{"a userId, as all other paths spell it", `{` + icAuth + `,"userId":"anna","password":"anna"}`, "en", 400, []string{`missingPropertyError`, `"propertyName":"userID"`}},
		{"another userid beside, which is none", `{` + icAuth + `,"userID":"anna","password":"x","userid":"nobody","PASSWORD":"anna"}`, "en", 400, []string{`authenticationFailure`}},
		{"no JSON", `userID=anna&password=anna`, "en", 400, []string{`"message":`}},
		{"no body", ``, "en", 400, []string{`"message":`}},
		{"no Accept-Language", `{` + icAuth + `,"userID":"anna","password":"anna"}`, "", 400, []string{`Accept-Language`}},
		{"a single sign-on token", `{` + signOn + `,"applicationName":"x","singleSignOnToken":"x"}`, "en", 400, []string{`authenticationFailure`}},
		{"a single sign-on of no application", `{` + signOn + `,"singleSignOnToken":"x"}`, "en", 400, []string{`"propertyName":"applicationName"`}},
		{"a single sign-on without token", `{` + signOn + `,"applicationName":"x"}`, "en", 400, []string{`missingPropertyError`, `"propertyName":"singleSignOnToken"`}},
		{"a single sign-on token that is none", `{` + signOn + `,"applicationName":"x","singleSignOnToken":7}`, "en", 400, []string{`"propertyName":"singleSignOnToken"`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &Server{}
			inBubble(t, s, func(t *testing.T) {
				got := stranger(t, s).do("POST", "/icws/connection", test.body, "Accept-Language", test.language)
				if got.status != test.status {
					t.Errorf("status = %d; want %d", got.status, test.status)
				}
				want(t, "body", got.body, test.parts...)
				if got.header.Get("WWW-Authenticate") != "" || got.header.Get("Set-Cookie") != "" {
					t.Errorf("a refusal has WWW-Authenticate %q, Set-Cookie %q; want neither", got.header.Get("WWW-Authenticate"), got.header.Get("Set-Cookie"))
				}
			})
		})
	}
}

func TestLogInReadsWhatIsRequiredByItsExactName(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		body := `{"__type":"urn:inin.com:connection:icAuthConnectionRequestSettings","applicationName":"Own","userID":"anna","password":"anna","USERID":"nobody","userid":7,"Password":"x"}`
		got := stranger(t, s).do("POST", "/icws/connection", body, "Accept-Language", "en")
		if got.status != http.StatusCreated || got.json(t)["userID"] != "anna" {
			t.Errorf("%d, %s; want a session of anna", got.status, got.body)
		}
	})
}

func TestLogInTakesAnyContentType(t *testing.T) {
	for _, contentType := range []string{"", "application/json", "text/plain", "application/x-www-form-urlencoded", "application/vnd.inin.icws+JSON;charset=utf-8"} {
		s := &Server{}
		inBubble(t, s, func(t *testing.T) {
			got := stranger(t, s).tryLogIn("agent0042", "agent0042", "Content-Type", contentType, "Accept", "*")
			if got.status != http.StatusCreated {
				t.Errorf("log-in with content type %q = %d; want 201", contentType, got.status)
			}
		})
	}
}

func TestLogInChoosesTheLanguage(t *testing.T) {
	for _, test := range []struct{ name, header, want string }{
		{"exactly", "de", "|languageId=de;"},
		{"by its first part", "de-DE", "|languageId=de;"},
		{"another country's", "en-au", "|languageId=en-us;"},
		{"the best liked", "fr, en;q=0.5, de-AT;q=0.8", "|languageId=de;"},
		{"none refused", "de;q=0, en", "|languageId=en-us;"},
		{"the default for an unknown one", "ko", "|languageId=en-us;"},
		{"the default for nonsense", "application/json", "|languageId=en-us;"},
		{"the default for anything", "*;q=x", "|languageId=en-us;"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &Server{}
			inBubble(t, s, func(t *testing.T) {
				got := stranger(t, s).tryLogIn("anna", "anna", "Accept-Language", test.header)
				want(t, "cookie for "+test.header, got.header.Get("Set-Cookie"), test.want)
			})
		})
	}
}

func TestLogInAtABackupNamesOthers(t *testing.T) {
	s := &Server{Backup: true, AlternateHosts: []string{"ic2.example"}}
	inBubble(t, s, func(t *testing.T) {
		got := stranger(t, s).tryLogIn("anna", "anna")
		if got.status != http.StatusServiceUnavailable {
			t.Errorf("status = %d; want 503", got.status)
		}
		want(t, "body", got.body, `"alternateHostList":["ic2.example"]`, `"errorId":"error.server.notAcceptingConnections"`)
	})
}

func TestAuthTokenClonesASessionOnce(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		id := strings.TrimPrefix(c.prefix, "/icws/")
		clone := func(wait time.Duration) (received, received) {
			token := c.must("POST", "/connection/unique-auth-token", `{"authTokenSeed":"7d1e"}`).json(t)["authToken"].(string)
			time.Sleep(wait)
			body := `{"__type":"` + icwsapi.TypeAuthToken + `","applicationName":"x","authTokenSeed":"7d1e","authToken":"` + token + `","authTokenSourceSession":"` + id + `"}`
			return c.do("POST", "/icws/connection", body, "Accept-Language", "en"), c.do("POST", "/icws/connection", body, "Accept-Language", "en")
		}
		first, second := clone(6 * time.Second)
		if first.status != 201 || second.status != 400 {
			t.Errorf("a token used twice = %d, %d; want 201, 400", first.status, second.status)
		}
		if late, _ := clone(8 * time.Second); late.status != 400 {
			t.Errorf("a token used after 8 s = %d; want 400", late.status)
		}
	})
}

// Scripts look for these headers letter by letter.
func TestHeadersAreSpelledAsOnTheWire(t *testing.T) {
	s := &Server{}
	defer s.Close()
	web := httptest.NewServer(s)
	defer web.Close()

	login := strings.NewReplacer("USER", "anna", "PASSWORD", "anna").Replace(loginBody)
	for _, test := range []struct{ request, want string }{
		{"POST /icws/connection HTTP/1.0\r\nAccept-Language: en\r\nContent-Length: " + strconv.Itoa(len(login)) + "\r\n\r\n" + login, "\r\nININ-ICWS-CSRF-Token: "},
		{"GET /icws/1/connection HTTP/1.0\r\n\r\n", "\r\nWWW-Authenticate: ICWS realm="},
	} {
		conn, err := net.Dial("tcp", web.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.WriteString(conn, test.request)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(conn)
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		want(t, "answer", string(answer), test.want)
	}
}

func TestHTTPSMakesTheCookieSecure(t *testing.T) {
	s := &Server{}
	defer s.Close()
	certificate, err := SelfSigned("127.0.0.1", "localhost")
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewUnstartedServer(s)
	web.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	web.StartTLS()
	defer web.Close()

	c := &client{t: t, http: web.Client(), base: web.URL, header: http.Header{}}
	c.http.Transport.(*http.Transport).TLSClientConfig.InsecureSkipVerify = true
	got := c.tryLogIn("anna", "anna")
	cookie := got.header.Get("Set-Cookie")
	if !strings.HasSuffix(cookie, "; HttpOnly; Secure") || strings.Contains(cookie, "languageId") {
		t.Errorf("Set-Cookie over HTTPS = %q; want Secure and no language", cookie)
	}
	if got.header.Get("Strict-Transport-Security") == "" {
		t.Error("no Strict-Transport-Security over HTTPS")
	}
	c.http.CloseIdleConnections()
}
