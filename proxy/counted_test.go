package proxy

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"

	"portico/proxy/icws/icwssim"
	"portico/proxy/push"
	"portico/proxy/upstream/memhttp"
)

// A counted is a world in which allocations are counted: without sockets, and with a stand-in for the site,
// at which anna works.
type counted struct {
	*world
	t      *testing.T
	site   *standIn
	door   *piped // takes connections of callers
	cookie string
	events map[string][]byte // that the site sends, by what happened there
}

func newCounted(t *testing.T) *counted {
	c := &counted{t: t, events: map[string][]byte{}}
	reg := prometheus.NewRegistry()
	c.world = &world{t: t, reg: reg, log: &logged{}, url: "http://portico.example"}
	k := newKnobs(reg, c.url, discardingLog())
	k.sim = &icwssim.Server{AsyncDelay: -1}
	c.site = &standIn{site: k.sim.Transport(), answers: map[string]*learned{}}
	k.icws.Bases, k.icws.HTTP = []string{"http://ic1.example:8018"}, c.site
	k.htcc.Bases, k.htcc.HTTP = []string{"http://gws1.example:8090"}, memhttp.Network{"": k.cloud}
	k.returns = push.NewReturns(&net.TCPAddr{})
	pushing := push.New(push.Options{TrustClientSession: true, Returns: k.returns, Next: c.next})
	k.door.Push, k.gateway.Push = pushing, pushing
	c.build(k)
	c.client = &http.Client{Transport: memhttp.Network{"": c.handler}}
	t.Cleanup(func() {
		c.close()
		pushing.Close()
		_ = k.returns.Close()
	})
	c.door = newPiped(t, c.handler, k.returns)
	c.teach()
	return c
}

// teach has the stand-in learn a session of anna's, then opens another with it.
func (c *counted) teach() {
	anna := c.logIn()
	opening := c.site.learn()
	for range 2 { // the first time activations change too
		for _, operation := range []string{"Ready", "NotReady"} {
			c.site.does(operation)
			anna.operate("/me", operation)
			synctest.Wait()
			c.events[operation] = c.site.learn()
		}
	}
	c.site.does("")
	for _, status := range []string{"At Lunch", "At Play"} {
		err := c.sim.SetState(icwssim.StateChange{User: "anna", StatusID: &status})
		if err != nil {
			c.t.Fatal(err)
		}
		synctest.Wait()
		c.events[status] = c.site.learn()
	}
	c.logOut(anna)
	c.site.answer(opening)
	c.logIn()
}

// logIn logs anna in.
func (c *counted) logIn() *caller {
	c.cookie = cookieOf(c.as("anna").get("/me/status-messages"))
	synctest.Wait()
	if c.cookie == "" {
		c.t.Fatal("anna cannot log in")
	}
	return c.with(c.cookie)
}

func (c *counted) logOut(anna *caller) {
	anna.operate("/me", "EndContactCenterSession")
	synctest.Wait()
}

// samples is how many requests are counted of each kind.
const samples = 101

// count returns how often each of some steps allocates, in the median, until nobody has anything left to
// do. What is done before them is not counted.
func (c *counted) count(before func(), steps ...func()) []int {
	all := make([][]int, len(steps))
	for range 2 {
		runtime.GC() // empties pools: of what others left there a part of the samples would live
	}
	for range samples {
		before()
		synctest.Wait()
		for i, step := range steps {
			all[i] = append(all[i], mallocs(step))
		}
	}
	var medians []int
	for _, counts := range all {
		slices.Sort(counts)
		medians = append(medians, counts[samples/2])
	}
	return medians
}

// mallocs returns how often a step allocates until nobody has anything left to do.
func mallocs(step func()) int {
	var began, ended runtime.MemStats
	runtime.ReadMemStats(&began)
	step()
	synctest.Wait()
	runtime.ReadMemStats(&ended)
	return int(ended.Mallocs - began.Mallocs)
}

// asks returns what sends a request with anna's cookie to the door, and wants an answer of this status.
func (c *counted) asks(method, path, content string, status int, headers ...string) func() {
	request := httptest.NewRequest(method, path, nil)
	request.Header.Set("Cookie", "JSESSIONID="+c.cookie)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	body := strings.NewReader("")
	request.Body = io.NopCloser(body)
	got := &discarded{header: http.Header{}}
	return func() {
		body.Reset(content)
		clear(got.header)
		c.handler.ServeHTTP(got, request)
		if got.status != status {
			c.t.Fatalf("%s %s = %d; want %d", method, path, got.status, status)
		}
	}
}
