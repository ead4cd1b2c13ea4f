package icwssim

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// BenchmarkStatusChange is a change by one of ten thousand agents with a session and a subscription
// each.
func BenchmarkStatusChange(b *testing.B) {
	s := &Server{AsyncDelay: -1}
	defer s.Close()
	headers := make([]http.Header, 9999)
	paths := make([]string, len(headers))
	for i := range headers {
		name := fmt.Sprintf("agent%04d", i+1)
		c := &client{t: b, header: http.Header{}}
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", "/icws/connection", strings.NewReader(strings.NewReplacer("USER", name, "PASSWORD", name).Replace(loginBody)))
		r.Header.Set("Accept-Language", "en")
		s.ServeHTTP(w, r)
		c.adopt(received{header: w.Header()})
		headers[i], paths[i] = c.header, c.prefix
		r = httptest.NewRequest("PUT", c.prefix+statuses, strings.NewReader(`{"userIds":["`+name+`"]}`))
		r.Header = c.header
		s.ServeHTTP(httptest.NewRecorder(), r)
	}
	for i := 0; b.Loop(); i++ {
		n := i % len(headers)
		body := `{"statusId":"` + []string{"Available", "At Lunch"}[i/len(headers)%2] + `"}`
		r := httptest.NewRequest("PUT", fmt.Sprintf("%s/status/user-statuses/agent%04d", paths[n], n+1), strings.NewReader(body))
		r.Header = headers[n]
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != http.StatusAccepted {
			b.Fatalf("PUT = %d %s", w.Code, w.Body)
		}
		r = httptest.NewRequest("GET", paths[n]+"/messaging/messages", nil)
		r.Header = headers[n]
		s.ServeHTTP(httptest.NewRecorder(), r)
	}
}
