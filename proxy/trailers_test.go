package proxy

import (
	"fmt"
	"io"
	"maps"
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

// TestTrailersOfUploads has what follows a body reach the site, but for what its headers may not tell either.
func TestTrailersOfUploads(t *testing.T) {
	says := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %v %q %q", body, err, r.Trailer.Get("X-Sum"), r.Trailer.Get("Cookie")+r.Trailer.Get("Authorization"))
	}
	for _, version := range []string{"HTTP/1.1", "HTTP/2"} {
		cloud, _ := newTapped(t, says)
		_, host := behind(t, map[string]http.Handler{"ic1.example": http.HandlerFunc(says)}, "http://ic1.example:8018")
		for path, world := range map[string]*world{"/api/v2/tap": cloud, "/icws/1/tap": newDoor(t, host)} {
			if version == "HTTP/2" {
				world.overHTTP2()
			}
			reader, writer := io.Pipe()
			request, err := http.NewRequestWithContext(t.Context(), "POST", world.url+path, reader)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", basicAuth("bjorn", "bjorn"))
			trailer := http.Header{"X-Sum": {"3"}, "Cookie": {"JSESSIONID=canary"}}
			if version == "HTTP/1.1" { // the other allows no such field
				trailer.Set("Authorization", "canary")
			}
			request.Trailer = http.Header{}
			for name := range trailer {
				request.Trailer[name] = nil
			}
			go func() {
				_, _ = io.WriteString(writer, "all of it")
				maps.Copy(request.Trailer, trailer)
				_ = writer.Close()
			}()
			response, err := world.client.Do(request)
			if err != nil {
				t.Fatalf("%s, POST %s: %v", version, path, err)
			}
			body, err := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if want := `all of it <nil> "3" ""`; string(body) != want || err != nil {
				t.Errorf("%s, POST %s: the site got %s (%v); want %s", version, path, body, err, want)
			}
		}
	}
}
