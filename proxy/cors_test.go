package proxy

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"portico/proxy/push"
)

const crm = "https://crm.example"

// corsOf returns what an answer lets a page do: the origin allowed, and whether with the cookie.
func corsOf(got answer) string {
	return got.header.Get("Access-Control-Allow-Origin") + " " + got.header.Get("Access-Control-Allow-Credentials")
}

func TestPagesOfListedOrigins(t *testing.T) {
	w := newDoor(t, openToNative, func(k *knobs) {
		k.door.Origins = []string{crm}
		k.door.Push = push.New(push.Options{})
		k.before = func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Link", "</early>")
				w.WriteHeader(http.StatusEarlyHints) // which clears what was set before
				w.Header()["Access-Control-Allow-Origin"] = []string{"*"}
				k.cloud.ServeHTTP(w, r)
			})
		}
	})
	line := w.as("bjorn").get("/me").header.Get("Set-Cookie")
	if !strings.HasSuffix(line, "; HttpOnly; Secure; SameSite=None") {
		t.Errorf("Set-Cookie: %s", line)
	}
	cookie, _, _ := strings.Cut(line, ";")
	for _, request := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/me", 200}, {"HEAD", "/api/v2/me", 200}, {"POST", "/me", 400}, {"GET", "/nowhere", 404}, {"DELETE", "/settings/agent-states", 405},
		{"GET", "/api/v2/users", 0}, {"POST", "/api/v2/notifications", 400}, {"GET", "/icws/connection/version", 200}, {"OPTIONS", "/me", 204},
		{"GET", "/me/status-messages", 404}, {"GET", "/icws/1/status", 0},
	} {
		for origin, want := range map[string]string{crm: crm + " true", "https://evil.example": " ", "": " "} {
			headers := []string{"Cookie", cookie}
			if origin != "" {
				headers = append(headers, "Origin", origin)
			}
			got := w.do(request.method, request.path, "", headers...)
			if origin == "https://evil.example" && request.method == "POST" {
				continue // refused, and as unreadable
			}
			if request.status != 0 && got.status != request.status || corsOf(got) != want {
				t.Errorf("%s %s from %q = %d with %q; want %d with %q", request.method, request.path, origin, got.status, corsOf(got), request.status, want)
			}
			if !slices.ContainsFunc(got.header.Values("Vary"), func(v string) bool { return strings.Contains(v, "Origin") }) {
				t.Errorf("%s %s from %q: Vary is %q", request.method, request.path, origin, got.header.Values("Vary"))
			}
		}
	}
	refused := w.do("POST", "/me", `{"operationName":"Ready"}`, "Cookie", cookie, "Origin", "https://evil.example")
	if refused.status != http.StatusForbidden || corsOf(refused) != " " {
		t.Errorf("a page of an origin that is not listed: %d with %q", refused.status, corsOf(refused))
	}
}

// A browser asks beforehand, with nothing that says who the agent is.
func TestPreflight(t *testing.T) {
	w := newDoor(t, openToNative, func(k *knobs) { k.door.Origins = []string{crm} })
	for _, path := range []string{"/me", "/api/v2/me/channels/voice", "/api/v2/notifications", "/api/v2/users", "/icws/connection", "/nowhere"} {
		got := w.do("OPTIONS", path, "", "Origin", crm, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,x-csrf-token")
		if got.status != 204 || corsOf(got) != crm+" true" || got.header.Get("Access-Control-Allow-Methods") != "POST" ||
			got.header.Get("Access-Control-Allow-Headers") != "authorization,x-csrf-token" {
			t.Errorf("%s = %d %v", path, got.status, got.header)
		}
		got = w.do("OPTIONS", path, "", "Origin", "https://evil.example", "Access-Control-Request-Method", "POST")
		if got.status != 204 || corsOf(got) != " " {
			t.Errorf("%s from an origin that is not listed = %d %v", path, got.status, got.header)
		}
	}
	if len(w.sim.Calls()) > 0 && w.calls("OPTIONS /icws/connection") > 0 {
		t.Error("a preflight reached the site")
	}
}

func TestNoOriginIsListed(t *testing.T) {
	w := newDoor(t)
	got := w.do("GET", "/diagnostics/version", "", "Origin", crm)
	if corsOf(got) != " " || got.header.Get("Vary") != "" {
		t.Errorf("without cors.origins: %v", got.header)
	}
}
