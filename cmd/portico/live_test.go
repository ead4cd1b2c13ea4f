package main

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"portico/config"
)

// TestEveryLiveKeyTakesEffect holds each key that the settings' room lists to being carried out: what
// is probed must be as it is without the key, and then as it is with it.
func TestEveryLiveKeyTakesEffect(t *testing.T) {
	var forwarded atomic.Value
	j := newJam()
	c := newCentres(t, func(site http.Handler) http.Handler {
		jammed := j.before(site)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/anything") {
				forwarded.Store(r.Header.Get("X-Forwarded-For"))
			}
			jammed.ServeHTTP(w, r)
		})
	})
	s := c.open("drain_delay: 0s\n")
	ask := func(agent, method, path, body string) string { return s.ask(agent, method, path, body) }
	cases := []struct {
		key, text  string
		probe      func() string
		was, after string // what a probe's answer begins with
	}{
		{"trusted_proxies", "trusted_proxies: [192.0.2.0/24]", func() string {
			ask("bjorn", "GET", "/api/v2/anything", "")
			return forwarded.Load().(string)
		}, "192.0.2.1", "203.0.113.9, 192.0.2.1"},
		{"dialect", "dialect: statusCode", func() string { return ask("", "GET", "/me", "") }, `403 {"status":"error"`, `403 {"statusCode":20`},
		{"htcc_version", "htcc_version: 9.9.9", func() string { return ask("", "GET", versionPath, "") }, `200 {"statusCode":0,"version":"8.5`, `200 {"statusCode":0,"version":"9.9.9"`},
		{"passthrough", "passthrough: [/elsewhere]", func() string { return ask("", "GET", "/elsewhere/7", "") }, "404", "403"},
		{"quick_requests", "quick_requests: false", func() string { return fmt.Sprint(readsQuickly(t, s.running.door.address())) }, "true", "false"},
		{"idle_timeout", "idle_timeout: 7m", func() string { return policy(s.running.settings()).Idle.String() }, "30m", "7m"},
		{"credentials", "credentials: forget", func() string { return fmt.Sprint(policy(s.running.settings()).Forget) }, "false", "true"},
		{"csrf", "csrf: token", func() string {
			answer := httptest.NewRecorder()
			request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/me", nil)
			request.SetBasicAuth("anna", "anna")
			s.running.house.ServeHTTP(answer, request)
			return answer.Header().Get("X-Csrf-Header") + "."
		}, ".", "X-CSRF-TOKEN."},
		{"logins", "logins: {failures_per_name: 7}", func() string { return fmt.Sprint(policy(s.running.settings()).Guesses.PerName) }, "4", "7"},
		{"drain_delay", "drain_delay: 7s", func() string { return s.running.settings().DrainDelay.String() }, "0s", "7s"},
		{"grace", "grace: 7s", func() string { return s.running.settings().Grace.String() }, "20s", "7s"},
		{"cache.max_bytes", "cache: {max_bytes: 1MiB}", func() string { return s.metric(`portico_cache_capacity_bytes{cache="catalogue"}`) }, "6.7108864e+07", "1.048576e+06"},
		{"log", "log: {level: debug}", func() string { return s.running.level.Level().String() }, "INFO", "DEBUG"},
		{"log", "log: {login_names: true}", func() string {
			ask("anna", "GET", "/me", "")
			return fmt.Sprint(strings.Contains(s.seen("/sessions"), `"login":"anna"`))
		}, "false", "true"},
		{"limits.requests", "limits: {requests: 1}", func() string {
			over := make(chan string)
			go func() { over <- ask("bjorn", "GET", jammed, "") }()
			<-j.came
			got := ask("anna", "GET", "/me", "")
			j.release <- struct{}{}
			<-over // it has given its place back
			return got
		}, "200", "503"},
		{"limits.body", "limits: {body: 1KiB}", func() string { return ask("anna", "POST", "/me", strings.Repeat(" ", 2000)) }, "400", "413"},
		{"limits.url", "limits: {url: 256B}", func() string { return ask("anna", "GET", "/me?x="+strings.Repeat("x", 300), "") }, "200", "413"},
		{"limits.headers", "limits: {headers: 10}", func() string {
			answer := httptest.NewRecorder()
			request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, versionPath, nil)
			for i := range 20 {
				request.Header.Set(fmt.Sprint("X-", i), "x")
			}
			s.running.house.ServeHTTP(answer, request)
			return fmt.Sprint(answer.Code)
		}, "200", "413"},
		{"limits.body_timeout", "limits: {body_timeout: 7s}", func() string { return s.running.settings().Limits.BodyTimeout.String() }, "30s", "7s"},
		{"limits.write_timeout", "limits: {write_timeout: 7s}", func() string { return s.running.settings().Limits.WriteTimeout.String() }, "30s", "7s"},
		{"routes", "", func() string { return ask("cleo", "GET", "/me/channels", "")[:3] }, "200", "200"},
		{"states", "states: {Pause: {pureconnect: At Lunch}}", func() string {
			return fmt.Sprint(strings.Contains(ask("anna", "GET", "/settings/agent-states", ""), `"Pause"`))
		}, "false", "true"},
	}
	var keys []string
	for _, tt := range cases {
		keys = append(keys, tt.key)
		if got := tt.probe(); !strings.HasPrefix(got, tt.was) {
			t.Errorf("%s: before, %s; want %s", tt.key, got, tt.was)
		}
		text := c.settings + tt.text
		if !strings.Contains(text, "drain_delay") {
			text += "\ndrain_delay: 0s\n"
		}
		s.adopt(text)
		if got := tt.probe(); !strings.HasPrefix(got, tt.after) {
			t.Errorf("%s: after, %s; want %s", tt.key, got, tt.after)
		}
		s.adopt(c.settings + "drain_delay: 0s\n")
	}
	if got := slices.Compact(keys); !slices.Equal(got, config.Live()) {
		t.Errorf("tested are %v; want a test of each of %v", got, config.Live())
	}
	s.stop()
	<-s.delayed
	close(s.over)
	must(t, <-s.ended)
}

// readsQuickly reads the catalogue many times on a connection, and reports whether it was answered once before
// net/http, whose Date comes last. The first finds a stranger, the second an address to be noted, and any may come
// before net/http has done with the one before.
func readsQuickly(t *testing.T, door string) bool {
	t.Helper()
	conn, err := net.Dial("tcp", door)
	must(t, err)
	defer conn.Close()
	in := bufio.NewReader(conn)
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/me/status-messages", nil)
	request.SetBasicAuth("anna", "anna")
	for range 50 {
		_, err := fmt.Fprintf(conn, "GET /me/status-messages HTTP/1.1\r\nHost: a\r\nAuthorization: %s\r\n\r\n", request.Header.Get("Authorization"))
		must(t, err)
		head, last := "", ""
		for line := ""; line != "\r\n"; {
			last = line
			line, err = in.ReadString('\n')
			must(t, err)
			head += line
		}
		answer, err := http.ReadResponse(bufio.NewReader(io.MultiReader(strings.NewReader(head), in)), nil)
		must(t, err)
		body, err := io.ReadAll(answer.Body)
		must(t, err)
		if answer.StatusCode != http.StatusOK || !strings.HasPrefix(string(body), `{"statusMessageList"`) {
			t.Errorf("the catalogue is %s %.100s", answer.Status, body)
		}
		if !strings.HasPrefix(last, "Date:") {
			return true
		}
	}
	return false
}

// TestNewRoutesAreThoseOfTheNextLogIns changes where agents work while one is logged in.
func TestNewRoutesAreThoseOfTheNextLogIns(t *testing.T) {
	c := newCentres(t, nil)
	s := c.open("drain_delay: 0s\n")
	s.ask("anna", "GET", "/me", "")
	s.adopt(strings.Replace(c.settings, `{match: "*", sites: [pureconnect]}`, `{match: "agent0001", sites: [pureconnect]}`, 1) + "drain_delay: 0s\n")
	for agent, want := range map[string]string{"anna": "200", "agent0001": "200", "agent0002": "403"} {
		if got := s.ask(agent, "GET", "/me", ""); !strings.HasPrefix(got, want) {
			t.Errorf("%s gets %s; want %s", agent, got, want)
		}
	}
	s.stop()
	<-s.delayed
	close(s.over)
	must(t, <-s.ended)
}

// adopt has the settings of text take effect, as a reload does.
func (s *stopping) adopt(text string) {
	s.t.Helper()
	r := &reloader{file: "portico.yaml", running: s.running, log: slog.New(slog.DiscardHandler)}
	err := r.take([]byte(text))
	if err != nil {
		s.t.Fatal(err)
	}
}

// ask asks the door in memory, by a proxy that names the caller, and returns status and body.
func (s *stopping) ask(agent, method, path, body string) string {
	answer := httptest.NewRecorder()
	request := httptest.NewRequestWithContext(s.t.Context(), method, path, strings.NewReader(body))
	request.Header.Set("X-Forwarded-For", "203.0.113.9")
	if agent != "" {
		request.SetBasicAuth(agent, agent)
	}
	s.running.house.ServeHTTP(answer, request)
	return fmt.Sprint(answer.Code, " ", answer.Body)
}

// seen returns what the operators' door answers.
func (s *stopping) seen(path string) string {
	answer := httptest.NewRecorder()
	s.running.admin.http.Handler.ServeHTTP(answer, httptest.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://localhost"+path, nil))
	return answer.Body.String()
}

// metric returns the value of one series, as the operators' door writes it.
func (s *stopping) metric(series string) string {
	for line := range strings.Lines(s.seen("/metrics")) {
		if rest, found := strings.CutPrefix(line, series+" "); found {
			return strings.TrimSpace(rest)
		}
	}
	return "none"
}
