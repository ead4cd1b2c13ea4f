package proxy

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// A site's trailer tells callers nothing that its headers may not, whether it was announced or not, and nothing of
// ours a second time.
func TestTrailersOfAnswersPassedThrough(t *testing.T) {
	for _, announced := range []bool{true, false} {
		says := func(w http.ResponseWriter, _ *http.Request) {
			prefix := http.TrailerPrefix
			if announced {
				prefix = ""
				w.Header().Set("Trailer", "Set-Cookie, X-Csrf-Token, X-Sum")
			}
			_, _ = io.WriteString(w, "all of it")
			_ = http.NewResponseController(w).Flush() // or it has a length, and no trailer
			w.Header().Set(prefix+"Set-Cookie", "JSESSIONID=canary; Path=/")
			w.Header().Set(prefix+"X-Csrf-Token", "canary")
			w.Header().Set(prefix+"X-Sum", "3")
		}
		cloud, _ := newTapped(t, says)
		_, host := behind(t, map[string]http.Handler{"ic1.example": http.HandlerFunc(says)}, "http://ic1.example:8018")
		for path, asked := range map[string]*http.Response{
			"/api/v2/tap": cloud.as("bjorn").must("GET", "/api/v2/tap", nil),
			"/icws/1/tap": newDoor(t, host).application().must(t.Context(), "GET", "/icws/1/tap", nil),
		} {
			body, err := io.ReadAll(asked.Body)
			if string(body) != "all of it" || err != nil || asked.Trailer.Get("X-Sum") != "3" {
				t.Errorf("GET %s, announced %v: %q, %v with the trailer %v; want X-Sum", path, announced, body, err, asked.Trailer)
			}
			if len(asked.Trailer["Set-Cookie"]) > 0 || strings.HasPrefix(path, "/api") && len(asked.Trailer["X-Csrf-Token"]) > 0 {
				t.Errorf("GET %s, announced %v: the caller gets the trailer %v", path, announced, asked.Trailer)
			}
		}
	}
}
