package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
)

// asPortico has the test binary be Portico: for tests of what a process is sent.
const asPortico = "RUN_AS_PORTICO"

func TestMain(m *testing.M) {
	if os.Getenv(asPortico) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// centres are the contact centres that a test's settings name. before, if not nil, stands before the
// HTCC site.
type centres struct {
	t           *testing.T
	pureconnect *icwssim.Server
	cloud       *htccsim.Server
	settings    string // that lead there
	close       func()
}

// newCentres returns simulated contact centres, which end with the test or before by close.
func newCentres(t *testing.T, before func(http.Handler) http.Handler) *centres {
	t.Helper()
	c := &centres{t: t, pureconnect: &icwssim.Server{}, cloud: &htccsim.Server{}}
	var htcc http.Handler = c.cloud
	if before != nil {
		htcc = before(htcc)
	}
	ic, gws := httptest.NewServer(c.pureconnect), httptest.NewServer(htcc)
	c.close = sync.OnceFunc(func() {
		for _, server := range []*httptest.Server{ic, gws} {
			server.CloseClientConnections()
			server.Close()
		}
		c.pureconnect.Close()
		c.cloud.Close()
	})
	t.Cleanup(c.close)
	c.settings = fmt.Sprintf(`listen: "127.0.0.1:0"
admin: "127.0.0.1:0"
sites:
  pureconnect:
    kind: icws
    urls: [%q]
    channels: {voice: {workgroups: [Sales, Support]}, email: {workgroups: [Mail]}}
    native: true
  cloud: {kind: htcc, urls: [%q]}
routes:
  - {match: "bjorn", sites: [cloud]}
  - {match: "cleo", sites: [pureconnect, cloud], channels: {voice: pureconnect, chat: cloud, email: cloud}}
  - {match: "*", sites: [pureconnect]}
`, ic.URL, gws.URL)
	return c
}

// sessions holds the number of upstream sessions of a PureConnect user to want.
func (c *centres) sessions(user string, want int) {
	c.t.Helper()
	state, err := c.pureconnect.State(user)
	if err != nil || state.Sessions != want {
		c.t.Errorf("%d sessions of %s at the site (%v); want %d", state.Sessions, user, err, want)
	}
}

// A serving is `portico serve` under way.
type serving struct {
	*centres
	file  string // of its settings
	log   *journal
	door  string
	admin string
	http  *http.Client
	stop  context.CancelFunc
	code  <-chan int
}

// serveFile runs `serve` until the test ends it.
func (c *centres) serveFile(file string) *serving {
	c.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c.t.Cleanup(cancel)
	code := make(chan int, 1)
	s := &serving{centres: c, file: file, log: &journal{}, stop: cancel, code: code, http: newClient(c.t)}
	go func() { code <- run(ctx, []string{"serve", "--config", file}, nil, s.log, s.log) }()
	var at struct{ Listen, Admin string }
	err := json.Unmarshal([]byte(s.log.await(c.t, `"msg":"serving"`)), &at)
	if err != nil {
		c.t.Fatal(err)
	}
	s.door, s.admin = "http://"+at.Listen, "http://"+at.Admin
	return s
}

// serveWith runs `serve` with settings for the centres and more of them.
func (c *centres) serveWith(more string) *serving {
	c.t.Helper()
	file := filepath.Join(c.t.TempDir(), "portico.yaml")
	write(c.t, file, c.settings+more)
	return c.serveFile(file)
}

// end stops it and returns its exit code.
func (s *serving) end() int {
	s.t.Helper()
	s.stop()
	select {
	case code := <-s.code:
		return code
	case <-time.After(time.Minute):
		s.t.Fatal("serve does not end")
		return 0
	}
}

// get asks for a URL as an agent, whose name is their password; "" asks as nobody.
func (s *serving) get(agent, url string) (int, string) {
	s.t.Helper()
	return get(s.t, s.http, agent, url)
}

func get(t *testing.T, client *http.Client, agent, url string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if agent != "" {
		request.SetBasicAuth(agent, agent)
	}
	reply, err := client.Do(request)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer func() { _ = reply.Body.Close() }()
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Error(err)
	}
	return reply.StatusCode, strings.TrimSpace(string(body))
}

// newClient returns a client with connections of its own, which end with the test.
func newClient(t *testing.T) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// A journal is a log that can be waited for.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// await returns the first line that holds text.
func (j *journal) await(t *testing.T, text string) string {
	t.Helper()
	found := ""
	eventually(t, "the log says "+text+"\n", func() bool {
		for line := range strings.Lines(j.String()) {
			if strings.Contains(line, text) && strings.HasSuffix(line, "\n") {
				found = line
				return true
			}
		}
		return false
	})
	return found
}

// eventually waits until holds does, and says what it waited for when that takes too long.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
