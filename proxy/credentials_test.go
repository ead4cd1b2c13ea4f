package proxy

import (
	"net/http/httptest"
	"strings"
	"testing"
	"unicode"
)

// FuzzCredentials sends what may be cookies and credentials to both APIs: whatever they are, they are
// nobody's, and Portico says so.
func FuzzCredentials(f *testing.F) {
	for _, seed := range [][2]string{
		{"JSESSIONID=abc", ""}, {"JSESSIONID=a; JSESSIONID=b; x=\"y", ""}, {"", "Basic YW5uYTphbm5h=="}, {"", "Basic"}, {"", "Basic Og=="},
		{"icws_29113001=a; portico=b", "Bearer x"}, {"a=b;=c;;", "basic \xff"},
	} {
		f.Add(seed[0], seed[1])
	}
	w := newDoor(f, openToNative)
	anna := cookieOf(w.as("anna").get("/me"))
	f.Fuzz(func(t *testing.T, cookie, authorization string) {
		if strings.ContainsFunc(cookie+authorization, unicode.IsControl) {
			return // a request that net/http refuses
		}
		for _, path := range []string{"/me", "/icws/29113001/status/status-messages"} {
			r := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
			r.Header.Set("Cookie", cookie)
			if authorization != "" {
				r.Header.Set("Authorization", authorization)
			}
			r.Header.Set("ININ-ICWS-CSRF-Token", cookie)
			answer := httptest.NewRecorder()
			w.handler.ServeHTTP(answer, r)
			right := cookie == anna || r.Header.Get("Authorization") != "" && credentialsAreRight(authorization)
			if answer.Code/100 != 4 && !right {
				t.Errorf("GET %s with cookie %q and authorization %q = %d %s", path, cookie, authorization, answer.Code, answer.Body)
			}
		}
	})
}

// credentialsAreRight reports whether both sites' passwords, which are the names, are in the header.
func credentialsAreRight(authorization string) bool {
	login, password, ok := basic(authorization)
	return ok && login == password
}
