package proxy

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/proxy/push"
	"portico/proxy/simulation"
	"portico/proxy/upstream"
	"portico/proxy/upstream/memhttp"
	"portico/translate/htccapi"
)

// troubledLimits are limits as the settings have them by default, but for the breaker, which judges by
// so few calls that a small crowd can make them.
var troubledLimits = upstream.Limits{Calls: 256, CallWait: 2 * time.Second, BreakerCalls: 5, BreakerWithin: 10 * time.Second,
	BreakerPause: 5 * time.Second, Retries: 0.1, Logins: 50, LoginQueue: 1000, LoginWait: 10 * time.Second}

// A side is how the matrix speaks to one kind of site.
type side struct {
	site  string
	agent string
	other string // begins the names of the crowd
	begin []begin
	lunch string // operation that is written
	list  string // path of the catalogue

	holds func(w *world, agent string) string // what the site holds of an agent, as seen says it
	alter func(w *world, agent string)        // has another client send the agent to lunch
	open  func(w *world, agent string) int    // the agent's upstream sessions; on HTCC, which is not told of their end, those of CometD
	fault func(w *world, f simulation.Fault) error
}

// A begin is an operation with which an agent begins to work, and what the site then holds.
type begin struct{ body, holds string }

var sides = []side{
	{
		site: site, agent: "anna", other: "agent000", begin: []begin{{`{"operationName":"Ready"}`, "Ready"}},
		lunch: `{"operationName":"AtLunch"}`, list: "/api/v2/me/status-messages",
		holds: func(w *world, agent string) string {
			return map[string]string{"Available": "Ready", "Available, No ACD": "NotReady", "At Lunch": "Lunch"}[w.stateOf(agent).StatusID]
		},
		alter: func(w *world, agent string) { w.alters(w.sim, `{"user":"`+agent+`","statusId":"At Lunch"}`) },
		open:  func(w *world, agent string) int { return w.stateOf(agent).Sessions },
		fault: func(w *world, f simulation.Fault) error { return w.sim.Fault(f) },
	},
	{
		site: cloud, agent: "bjorn", other: "gws", begin: []begin{
			{`{"operationName":"StartContactCenterSession","channels":["voice","chat"]}`, "Ready and NotReady"}, {`{"operationName":"Ready"}`, "Ready"}},
		lunch: `{"operationName":"OutToLunch"}`, list: "/api/v2/settings/agent-states",
		holds: func(w *world, agent string) string {
			state := w.cloudStateOf(agent)
			return seen(state.Devices, state.Channels)
		},
		alter: func(w *world, agent string) { w.alters(w.cloud, `{"user":"`+agent+`","state":"OutToLunch"}`) },
		open:  func(w *world, agent string) int { return w.cloudStateOf(agent).Notifications },
		fault: func(w *world, f simulation.Fault) error { return w.cloud.Fault(f) },
	},
}

// crowd returns the agents who work at a site beside the one that is looked at. Together they make enough
// calls for a breaker to judge by.
func (s *side) crowd() []string {
	names := make([]string, 6)
	for i := range names {
		names[i] = fmt.Sprint(s.other, i+1)
	}
	return names
}

func (w *world) stateOf(agent string) icwssim.State {
	w.t.Helper()
	state, err := w.sim.State(agent)
	if err != nil {
		w.t.Fatal(err)
	}
	return state
}

func (w *world) cloudStateOf(agent string) htccsim.State {
	w.t.Helper()
	state, err := w.cloud.State(agent)
	if err != nil {
		w.t.Fatal(err)
	}
	return state
}

// seen says in a word what an application shows of an agent: Ready, NotReady, LoggedOut, Lunch, or
// several of them if channels differ, or that there is nothing to show.
func seen(devices []htccapi.Device, channels []htccapi.Channel) string {
	var words []string
	see := func(state htccapi.UserState) {
		word := state.State
		if strings.Contains(state.Reason, "Lunch") {
			word = "Lunch"
		}
		if !strings.Contains(strings.Join(words, " "), word) {
			words = append(words, word)
		}
	}
	for _, device := range devices {
		if device.UserState != nil {
			see(*device.UserState)
		}
	}
	for _, channel := range channels {
		see(channel.UserState)
	}
	if words == nil {
		return "no channels"
	}
	return strings.Join(words, " and ")
}

// newTroubled returns a running world without sockets, for a synctest bubble, and the wire that leads
// from Portico to the site. Both hosts that the site has are one server.
func newTroubled(t *testing.T, at *side, option func(*knobs)) (*world, *wire) {
	t.Helper()
	reg := prometheus.NewRegistry()
	w := &world{t: t, reg: reg, log: &logged{}, url: "http://portico.example"}
	k := newKnobs(reg, w.url, slog.New(slog.NewJSONHandler(w.log, nil)))
	k.cloud.Users = htccsim.StockUsers()
	for i, name := range sides[1].crowd() {
		k.cloud.Users = append(k.cloud.Users, htccsim.User{UserName: name, Password: name, Phone: fmt.Sprint(5200 + i), Channels: []htccapi.MediaChannel{"chat"}})
	}
	k.icws.Bases, k.icws.Limits, k.icws.Alternates = []string{"http://ic1.example:8018"}, troubledLimits, []string{"ic*.example"}
	k.htcc.Bases, k.htcc.Limits = []string{"http://gws1.example:8090"}, troubledLimits
	pushing := push.New(push.Options{TrustClientSession: true})
	k.door.Push, k.gateway.Push = pushing, pushing
	if option != nil {
		option(k)
	}
	k.icws.HTTP = memhttp.Network{"ic1.example:8018": k.sim, "ic2.example:8018": k.sim}
	k.htcc.HTTP = memhttp.Network{"gws1.example:8090": k.cloud, "gws2.example:8090": k.cloud}
	way := &k.icws.HTTP
	if at.site == cloud {
		way = &k.htcc.HTTP
	}
	tapped := newWire(*way, at.agent)
	*way = tapped
	w.build(k)
	w.client = &http.Client{Transport: memhttp.Network{"portico.example": w.handler}}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = w.gateway.Run(ctx)
	}()
	t.Cleanup(func() {
		tapped.mend()
		w.close()
		stop()
		<-ended
		pushing.Close()
		for _, agent := range append([]string{at.agent}, at.crowd()...) {
			if n := at.open(w, agent); n != 0 {
				t.Errorf("%d sessions of %s are left at the site", n, agent)
			}
		}
	})
	return w, tapped
}

// begins logs an agent in and lets them work on all channels.
func (c *caller) begins(at *side, agent string) {
	c.t.Helper()
	got := c.get("/api/v2/me?subresources=devices,channels")
	if got.status != http.StatusOK {
		c.t.Fatalf("the log-in = %d %s", got.status, got.body)
	}
	for _, one := range at.begin {
		c.post("/api/v2/me", one.body).is(c.t, one.body, http.StatusOK, `{"statusCode":0}`)
		eventually(c.t, "after "+one.body+" the site holds "+one.holds, func() bool { return at.holds(c.world, agent) == one.holds })
	}
}

// listens holds a connect for the rest of the test.
func (c *caller) listens() *comet {
	c.t.Helper()
	listener := newComet(c.t, polling{app: c, client: c.client})
	listener.shakes("", "long-polling")
	listener.subscribes("/v2/me/*")
	listener.listens("long-polling")
	listener.reads(func() picture { return readPicture(c.t, c.get("/api/v2/me?subresources=devices,channels").body) })
	return listener
}

// over reports that the client no longer connects.
func (c *comet) over() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}

// seen says what the application shows by what it was told.
func (c *comet) seen() string {
	c.t.Helper()
	if c.over() {
		return "advice " + c.last.Advice.Reconnect
	}
	known, _ := c.knows()
	var devices []htccapi.Device
	var channels []htccapi.Channel
	recode(c.t, known.devices, &devices)
	recode(c.t, known.channels, &channels)
	return seen(devices, channels)
}

// seen says what a body of GET /me shows.
func (a answer) seen(t testing.TB) string {
	t.Helper()
	var me struct {
		User struct {
			Devices  []htccapi.Device
			Channels []htccapi.Channel
		}
	}
	err := json.Unmarshal([]byte(a.body), &me)
	if err != nil {
		t.Fatalf("%s: %v", a.body, err)
	}
	return seen(me.User.Devices, me.User.Channels)
}
