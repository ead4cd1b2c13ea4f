package fleet

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Tests whose names begin with TestLive start a fleet. make test-fleet builds what they need and names
// the folder; without it they are left out.
func programs(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("PROGRAMS")
	if folder == "" {
		t.Skip("needs a built Portico, HAProxy, redis-server and Node: make test-fleet")
	}
	return folder
}

const (
	balancer = "../../../dashboards/replicas/haproxy.cfg"
	script   = "../../../proxy/push/conformance/agents.mjs"
)

// A stage is a fleet that a test plays on.
type stage struct {
	*Fleet
	t       *testing.T
	apps    []*Applications
	agents  []Applicant
	changes *changes
}

// newStage opens a fleet of three, unless the settings say otherwise, until the test ends.
func newStage(t *testing.T, s Settings) *stage {
	t.Helper()
	if s.Program == "" {
		s.Program = filepath.Join(programs(t), "portico")
	}
	s.Balancer, s.Replicas = balancer, 3
	if s.Stderr == nil {
		s.Stderr = &complaints{t: t}
	}
	f, err := Open(context.WithoutCancel(t.Context()), s) // Close ends it in order
	must(t, err)
	t.Cleanup(f.Close)
	must(t, addSteps(f.ICWS))
	return &stage{Fleet: f, t: t}
}

// Agents who are not on PureConnect alone. They change their own state.
const (
	onHTCC = "bjorn"
	onBoth = "cleo"
)

// staff has so many agents log in through the load balancer, with applications in two processes. Every
// tenth changes their own state, the others' are changed at the site; half of the clients acknowledge.
func (s *stage) staff(count int) {
	s.t.Helper()
	for i := range count {
		one := Applicant{Name: Agent(i + 1), Channels: []string{"voice", "email"}, Ack: i/10%2 == 0, Writes: i%10 == 0}
		switch i {
		case 10:
			one.Name, one.Channels = onHTCC, []string{"voice", "chat"}
		case 20:
			one.Name, one.Channels = onBoth, []string{"voice", "chat", "email"}
		}
		s.agents = append(s.agents, one)
	}
	halves := [][]Applicant{s.agents[:count/2], s.agents[count/2:]}
	opened := make(chan error, len(halves))
	for _, half := range halves {
		app, err := StartApplications(s.t.Context(), script, &complaints{t: s.t})
		must(s.t, err)
		s.t.Cleanup(app.Wait)
		s.apps = append(s.apps, app)
		go func() { opened <- app.Open(s.Door, half) }()
	}
	for range halves {
		must(s.t, <-opened)
	}
	s.changes = newChanges(s.ICWS, s.agents)
	if failed := failures(s.accounts()); len(failed) > 0 {
		s.t.Errorf("to open applications failed: %s", describe(failed))
	}
}

// all has the applications do something.
func (s *stage) all(act func(*Applications) error) {
	s.t.Helper()
	for _, app := range s.apps {
		must(s.t, act(app))
	}
}

// accounts returns those of all agents.
func (s *stage) accounts() map[string]Account {
	s.t.Helper()
	all := map[string]Account{}
	s.all(func(app *Applications) error {
		some, err := app.Report()
		for name, account := range some {
			all[name] = account
		}
		return err
	})
	return all
}

// complaints show what processes write to standard error, once the test has failed.
type complaints struct {
	t     *testing.T
	mu    sync.Mutex
	text  bytes.Buffer // guarded by mu
	shown bool         // guarded by mu: it will be
}

func (c *complaints) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.shown {
		c.shown = true
		c.t.Cleanup(c.show)
	}
	return c.text.Write(p)
}

func (c *complaints) show() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.t.Failed() {
		c.t.Logf("complaints: %s", c.text.Bytes()[:min(c.text.Len(), 4000)])
	}
}

// An answer is what became of a request.
type answer struct {
	status int
	body   string
	cookie string // of the session
	after  string // Retry-After
}

// send sends a request of an agent, with the session's cookie if there is one.
func send(t *testing.T, method, url, agent, cookie, body string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	must(t, err)
	if cookie != "" {
		request.AddCookie(&http.Cookie{Name: "JSESSIONID", Value: cookie})
	} else {
		request.SetBasicAuth(agent, agent)
	}
	reply, err := http.DefaultClient.Do(request)
	must(t, err)
	defer func() { _ = reply.Body.Close() }()
	said, err := io.ReadAll(reply.Body)
	must(t, err)
	for _, one := range reply.Cookies() {
		if one.Name == "JSESSIONID" {
			cookie = one.Value
		}
	}
	return answer{reply.StatusCode, string(said), cookie, reply.Header.Get("Retry-After")}
}

// within waits for a condition, and fails the test if it does not come about in time.
func within(t *testing.T, limit time.Duration, what string, holds func() bool) {
	t.Helper()
	overdue := time.After(limit)
	for !holds() {
		select {
		case <-overdue:
			t.Fatalf("not within %v: %s", limit, what)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// describe lists the first few of many.
func describe[T any](all []T) string {
	return fmt.Sprintf("%d: %v", len(all), all[:min(len(all), 8)])
}
