package admin

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"portico/cache"
	"portico/proxy/gateway"
	"portico/proxy/session"
)

func TestToken(t *testing.T) {
	served, err := gateway.New(gateway.Settings{Store: session.NewMemory(), Policy: gateway.Policy{MaxBytes: 1 << 20},
		Cache: cache.NewMetrics(prometheus.NewRegistry()), Metrics: gateway.NewMetrics(prometheus.NewRegistry())})
	if err != nil {
		t.Fatal(err)
	}
	const view = "/debug/pprof/cmdline"
	for _, test := range []struct {
		name, token string
		open        bool
		path, given string
		want        int
	}{
		{"a loopback address without a token", "", true, view, "", 200},
		{"a loopback address with a token", "s3cret", true, view, "", 401},
		{"another address without a token", "", false, view, "", 403},
		{"another address without a token, and an empty one given", "", false, view, "Bearer ", 403},
		{"another address with a token", "s3cret", false, view, "", 401},
		{"the token", "s3cret", false, view, "Bearer s3cret", 200},
		{"another scheme", "s3cret", false, view, "Basic s3cret", 401},
		{"the beginning of the token", "s3cret", false, view, "Bearer s3cre", 401},
		{"more than the token", "s3cret", false, view, "Bearer s3crets", 401},
		{"metrics", "s3cret", false, "/metrics", "", 200},
		{"health", "s3cret", false, "/healthz", "", 200},
		{"readiness", "s3cret", false, "/readyz", "", 503},
	} {
		reg := prometheus.NewRegistry()
		door := New(Settings{Gatherer: reg, Registerer: reg, Gateway: served, Draining: func() bool { return false }, Token: test.token, Open: test.open})
		request := httptest.NewRequest(http.MethodGet, test.path, nil)
		request.Host = "127.0.0.1:9090"
		request.Header.Set("Authorization", test.given)
		answer := httptest.NewRecorder()
		door.ServeHTTP(answer, request)
		if answer.Code != test.want {
			t.Errorf("%s: %d; want %d", test.name, answer.Code, test.want)
		}
	}
}

// TestOtherNamesAreClosed has pages call whose name leads to the loopback address.
func TestOtherNamesAreClosed(t *testing.T) {
	for host, want := range map[string]int{
		"localhost": 200, "LOCALHOST:9090": 200, "127.0.0.1:9090": 200, "[::1]:9090": 200, "[::1]": 200, "127.0.0.1": 200,
		"rebound.example:9090": 403, "rebound.example": 403, "localhost.example:9090": 403, "": 403,
	} {
		door := gin.New()
		door.GET("/sessions", Settings{Open: true}.authorized, func(c *gin.Context) { c.Status(http.StatusOK) })
		request := httptest.NewRequest(http.MethodGet, "/sessions", nil)
		request.Host = host
		answer := httptest.NewRecorder()
		door.ServeHTTP(answer, request)
		if answer.Code != want {
			t.Errorf("Host %q: %d; want %d", host, answer.Code, want)
		}
	}
}
