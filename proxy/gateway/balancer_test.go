package gateway

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc"
	"portico/proxy/htcc/htccsim"
	"portico/proxy/upstream"
)

// A balancer is a load balancer in front of HTCC, which may renew its cookie with every answer, as those of AWS do.
type balancer struct {
	http.RoundTripper
	renews atomic.Bool
	asked  atomic.Int64
	logins atomic.Int64

	strays  atomic.Int64 // so many connects that are to be held go to a host that does not know the session
	strayed atomic.Int64 // when one did last, in Unix nanoseconds
}

func (b *balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(20 * time.Millisecond) // on the network
	asked := b.asked.Add(1)
	if r.Header.Get("Authorization") != "" {
		b.logins.Add(1)
	}
	if b.goesAstray(r) {
		b.strayed.Store(time.Now().UnixNano())
		return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{"Content-Type": {"application/json"}},
			Body: io.NopCloser(strings.NewReader(`{"statusCode":20,"statusMessage":"Access denied"}`)), Request: r}, nil
	}
	res, err := b.RoundTripper.RoundTrip(r)
	if err == nil && b.renews.Load() {
		res.Header.Add("Set-Cookie", fmt.Sprintf("AWSALB=%d; Path=/; Max-Age=604800", asked))
	}
	return res, err
}

func (b *balancer) goesAstray(r *http.Request) bool {
	if r.Method != http.MethodPost {
		return false
	}
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	isHeld := bytes.Contains(body, []byte(`"/meta/connect"`)) && !bytes.Contains(body, []byte(`"timeout":0`))
	return err == nil && isHeld && b.strays.Add(-1) >= 0
}

// behindBalancer has both sites, HTCC behind a balancer.
func behindBalancer(t *testing.T, cloud *htccsim.Server) (option, *balancer) {
	t.Cleanup(cloud.Close)
	b := &balancer{RoundTripper: cloud.Transport()}
	return func(s *Settings, _ *Site) {
		s.Sites = []Site{{Name: "cloud", HTCC: htcc.New(htcc.Settings{Site: "cloud", Bases: []string{"http://gws.example:8090"},
			Timeout: 5 * time.Second, HTTP: b, Metrics: upstream.NewMetrics(nil, nil)})}}
		s.Route = unionRoute
	}, b
}

// TestALostSessionIsReplacedWhereCookiesChange has the session lost of an agent whose cookie changes with every answer.
func TestALostSessionIsReplacedWhereCookiesChange(t *testing.T) {
	for _, name := range []string{"bjorn", "cleo"} {
		for _, replicas := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s, %d replicas", name, replicas), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					fleet, cloud := newShared(), &htccsim.Server{}
					sites, line := behindBalancer(t, cloud)
					w, _ := fleet.replica(t, sites)
					agent := w.login(name)
					if replicas > 1 {
						other, _ := fleet.replica(t, sites)
						other.shows(other.login(name))
					}
					line.renews.Store(true)
					settle()
					w.posted(agent, "", startTwo)
					settle()
					w.faultCloud(cloud, htccsim.Fault{Scenario: "expire-session", User: name})
					before := line.asked.Load()
					time.Sleep(6 * time.Second)
					w.posted(agent, "chat", `{"operationName":"NotReady"}`)
					if n := line.asked.Load() - before; n > 20 {
						t.Errorf("%d requests in 6 s; want few", n)
					}
					w.sessionsAtHTCC(cloud, name, 1)
				})
			})
		}
	}
}

// sessionsAtHTCC holds the number of a user's sessions at HTCC to want.
func (w *world) sessionsAtHTCC(cloud *htccsim.Server, user string, want int) {
	w.t.Helper()
	state, err := cloud.State(user)
	if err != nil || state.Sessions != want {
		w.t.Errorf("HTCC holds %d sessions of %s (%v); want %d", state.Sessions, user, err, want)
	}
}
