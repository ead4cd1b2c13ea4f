package gateway

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"portico/proxy/htcc"
	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/proxy/upstream"
)

// A vault leads to a simulator and knows which password of its agents is the right one.
type vault struct {
	http.RoundTripper
	right   atomic.Value // of string
	refused atomic.Int64 // log-ins with another one
}

// newVault returns one of an agent whose password is their name, as the simulators have it.
func newVault(to http.RoundTripper, login string) *vault {
	v := &vault{RoundTripper: to}
	v.right.Store(login)
	return v
}

func (v *vault) RoundTrip(r *http.Request) (*http.Response, error) {
	login, password, isHTCC := r.BasicAuth()
	switch {
	case isHTCC:
		r = r.Clone(r.Context())
		r.SetBasicAuth(login, v.opened(login, password))
	case r.Method+" "+r.URL.Path == routeLogin:
		var asked map[string]any
		_ = json.NewDecoder(r.Body).Decode(&asked)
		asked["password"] = v.opened(asked["userID"].(string), asked["password"].(string))
		body := mustEncode(asked)
		r = r.Clone(r.Context())
		r.Body, r.ContentLength, r.GetBody = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
	}
	return v.RoundTripper.RoundTrip(r)
}

// opened returns the password that the simulator is to see.
func (v *vault) opened(login, password string) string {
	if password == v.right.Load() {
		return login
	}
	v.refused.Add(1)
	return "wrong"
}

// behindVault returns the sites of a union behind the vault of one agent.
func behindVault(v *vault) option {
	return func(s *Settings, site *Site) {
		site.ICWS = newClient(v, prometheus.NewRegistry())
		s.Sites = []Site{{Name: "cloud", HTCC: htcc.New(htcc.Settings{Site: "cloud", Bases: []string{"http://gws.example:8090"},
			Timeout: 5 * time.Second, HTTP: v, Metrics: upstream.NewMetrics(nil, nil)})}}
		s.Route = unionRoute
	}
}

// TestAPasswordThatWasChangedAtOneReplica has an agent, whom two replicas know by a password, change it at the site and
// come with the new one. The site loses their session later: nobody is to send it the old one, which would have the
// right one count as refused.
func TestAPasswordThatWasChangedAtOneReplica(t *testing.T) {
	for name, c := range map[string]struct{ atReader, usedAtBoth, goesOn bool }{
		"where the agent is read":                       {true, false, true},
		"where the agent is read, and used at both":     {true, true, true},
		"where the agent is not read":                   {false, false, false}, // whoever reads knows no password
		"where the agent is not read, and used at both": {false, true, true},
	} {
		for _, login := range []string{"anna", "bjorn"} {
			t.Run(login+", "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					fleet, cloud := newShared(), &htccsim.Server{}
					t.Cleanup(cloud.Close)
					transport := http.RoundTripper(fleet.sim.Transport())
					if login == "bjorn" {
						transport = cloud.Transport()
					}
					v := newVault(transport, login)
					a, _ := fleet.replica(t, behindVault(v))
					b, _ := fleet.replica(t, behindVault(v))
					p := newPair(t, a, b, login, false)
					v.right.Store("changed")
					comes := Caller{Basic: true, Login: login, Password: "changed"}
					first, second := a, b
					if !c.atReader {
						first, second = b, a
					}
					if _, err := first.Login(t.Context(), comes); err != nil {
						t.Fatal(err)
					}
					settle()
					if c.usedAtBoth {
						if _, err := second.Login(t.Context(), comes); err != nil {
							t.Fatal(err)
						}
					}
					time.Sleep(time.Minute)
					v.refused.Store(0)
					a.fault(icwssim.Fault{Scenario: "expire-session"})
					a.faultCloud(cloud, htccsim.Fault{Scenario: "expire-session"})
					for range 5 { // the agent's applications go on
						time.Sleep(time.Second)
						for _, w := range []*world{b, a} {
							agent, err := w.Login(t.Context(), comes)
							if err != nil {
								t.Errorf("with the right password: %v", err)
								continue
							}
							_, _ = w.Me(t.Context(), agent, nil)
							if goesOn := agent.SessionID() == p.atA.SessionID(); goesOn != c.goesOn {
								t.Errorf("the session goes on: %v; want %v", goesOn, c.goesOn)
							}
						}
					}
					if n := v.refused.Load(); n != 0 {
						t.Errorf("%d log-ins with the password of before; want none", n)
					}
				})
			})
		}
	}
}

// TestAnAnswerOfBeforeForgetsNoPassword has the store's answer of before a change come after it.
func TestAnAnswerOfBeforeForgetsNoPassword(t *testing.T) {
	a := &Agent{}
	for _, what := range []string{"old", "new"} {
		a.change([]byte("proof of "+what), what)
	}
	for of, want := range map[string]string{"old": "", "new": "new"} {
		a.learnProof([]byte("proof of " + of))
		if got := a.keptPassword(); got != want {
			t.Errorf("with the proof of %q the password is %q; want %q", of, got, want)
		}
	}
}
