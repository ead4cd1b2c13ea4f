package icwssim

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzBodies sends what a stranger may to every route that takes a body: no answer may be a 500,
// break the connection, or be other than JSON of one line.
func FuzzBodies(f *testing.F) {
	for _, body := range []string{
		``, `null`, `[]`, `{}`, `{"statusId":"At Lunch"}`, `{"statusId":"At Lunch","until":{"untilDateTime":"20260105T114500Z","hasDate":true,"hasTime":true}}`,
		`{"until":7,"statusId":"x"}`, `{"userIds":["anna","cleo"],"userStatusProperties":["until"]}`, `{"userIds":[null]}`,
		`{"activations":{"Sales":true,"sales":false}}`, `{"userId":"anna","workgroupIds":["*"]}`, `{"workgroupId":"Sales","userIds":["*"]}`,
		`{"__type":"urn:inin.com:connection:workstationSettings","workstation":"x"}`, `{"licenseList":["x"]}`, "\xef\xbb\xbf{}",
		strings.NewReplacer("USER", "anna", "PASSWORD", "anna").Replace(loginBody), `{"authTokenSeed":""}`, strings.Repeat(`{"a":`, 20000),
	} {
		f.Add(body, "de;q=0.5, *", "x")
	}
	f.Fuzz(func(t *testing.T, body, language, id string) {
		s := &Server{AsyncDelay: -1}
		defer s.Close()
		c := loggedIn(t, s, "anna")
		for i := range resources {
			for method := range resources[i].methods {
				if method == http.MethodGet || method == http.MethodDelete {
					continue
				}
				path := strings.NewReplacer(inSession, c.prefix, "{userId}", "anna", "{workgroupId}", "Sales", "{subId}", "s").Replace(resources[i].template)
				checkAnswer(t, s, c, method, path, body, language)
			}
		}
		checkAnswer(t, s, c, http.MethodGet, c.prefix+"/messaging/messages", "", language)
		for _, control := range []string{"/_sim/state", "/_sim/catalogue", "/_sim/fault"} {
			checkControl(t, s, control, body)
		}
		_, _ = s.State(id)
	})
}

func checkAnswer(t *testing.T, s *Server, c *client, method, path, body, language string) {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header = c.header.Clone()
	r.Header.Set("Accept-Language", language)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code >= 500 || strings.Contains(w.Body.String(), "\n") {
		t.Errorf("%s %s %q = %d %s", method, path, body, w.Code, w.Body)
	}
}

func checkControl(t *testing.T, s *Server, path, body string) {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)))
	if w.Code != 200 && w.Code != 400 {
		t.Errorf("POST %s %q = %d %s", path, body, w.Code, w.Body)
	}
}
