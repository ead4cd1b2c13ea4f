package proxy

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"portico/proxy/push"
	"portico/translate/htccapi"
)

// A player is an application that plays an agent's day through Portico, and looks after each step
// whether what it is shown, and has been told, is what the sites hold.
type player struct {
	*caller
	agent  string
	second string // the channel it asks for beside voice
	begins string // state of voice after Start: a switch's own default, or that of the ICWS status
	away   int    // status of what only an HTCC site has
	comet  *comet // nil until it has caught up

	connects atomic.Int64 // that the door has let in
}

// played runs a persona once for an agent of either kind of site and of both, at a door that offers
// websockets or does not.
func played(t *testing.T, sockets bool, persona func(*testing.T, *player)) {
	for _, p := range []*player{
		{agent: "anna", second: "email", begins: "NotReady", away: http.StatusNotFound},
		{agent: "bjorn", second: "chat", begins: "Ready", away: http.StatusOK},
		{agent: "cleo", second: "chat", begins: "NotReady", away: http.StatusOK},
	} {
		t.Run(p.agent, func(t *testing.T) {
			t.Parallel()
			w := newPushing(t, func(k *knobs) {
				k.cloud.CSRF = true
				k.push = &push.Options{TrustClientSession: true, WebSocket: sockets, Receive: p.letIn}
			})
			w.t = t
			p.caller = &caller{world: w}
			persona(t, p)
		})
	}
}

// letIn counts the connects that come to the door, and lets in whatever comes.
func (p *player) letIn(_, channel string) bool {
	if channel == "/meta/connect" {
		p.connects.Add(1)
	}
	return true
}

// waits waits until a connect of the application's is held.
func (p *player) waits(c *comet) {
	p.t.Helper()
	eventually(p.t, "a connect is held", func() bool { return p.connects.Load() > c.connects() })
}

// newJar returns an empty cookie jar.
func newJar(t testing.TB) http.CookieJar {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return jar
}

// ok gets a path that is to be there.
func (p *player) ok(path string, headers ...string) answer {
	p.t.Helper()
	got := p.get(path, headers...)
	if got.status != http.StatusOK || !strings.HasPrefix(got.body, `{"statusCode":0`) {
		p.t.Fatalf("GET %s of %s = %d %s; want 200", path, p.agent, got.status, got.body)
	}
	return got
}

// passed gets paths that an HTCC site has, if there is one.
func (p *player) passed(paths ...string) {
	p.t.Helper()
	for _, path := range paths {
		if got := p.get(path); got.status != p.away {
			p.t.Errorf("GET %s of %s = %d %s; want %d", path, p.agent, got.status, got.body, p.away)
		}
	}
}

// operates posts an operation that is to succeed, and that whoever listens is to be told of: even when
// it leads to the state that the agent is in.
//
// Source: captured traffic of GWS 8.5.202.96 (NotReady while NotReady).
func (p *player) operates(path, operation string) {
	p.t.Helper()
	before := p.told()
	p.post(path, `{"operationName":"`+operation+`"}`).is(p.t, operation+" on "+path+" of "+p.agent, http.StatusOK, `{"statusCode":0}`)
	if p.comet != nil {
		eventually(p.t, p.agent+" is told of "+operation, func() bool { return p.told() > before })
	}
}

// starts starts the contact centre session.
func (p *player) starts() {
	p.t.Helper()
	p.post("/api/v2/me", `{"operationName":"StartContactCenterSession","channels":["voice","`+p.second+`"]}`).is(
		p.t, "Start of "+p.agent, http.StatusOK, `{"statusCode":0}`)
}

// device returns the id of the agent's device.
func (p *player) device() string {
	p.t.Helper()
	var answer htccapi.DevicesAnswer
	var devices []htccapi.Device
	answer.Devices = &devices
	err := json.Unmarshal([]byte(p.ok("/api/v2/me/devices?fields=id").body), &answer)
	if err != nil || len(devices) != 1 {
		p.t.Fatalf("%d devices of %s (%v); want 1", len(devices), p.agent, err)
	}
	return devices[0].ID
}

// catchesUp has the application, which has subscribed, read what it is told the changes of from now on.
func (p *player) catchesUp(c *comet) {
	p.t.Helper()
	c.reads(p.reads)
	p.comet = c
}

// told returns how many notifications the application has been told.
func (p *player) told() int {
	if p.comet == nil {
		return 0
	}
	_, n := p.comet.knows()
	return n
}

// reads returns what /me says.
func (p *player) reads() picture {
	p.t.Helper()
	return readPicture(p.t, p.ok("/api/v2/me?subresources=devices,channels").body)
}

// shows returns what an application shows that reads /me.
func (p *player) shows() day {
	p.t.Helper()
	return p.reads().day(p.t, p.second)
}

// icwsStatus is the status that an ICWS site has when voice is in a state.
var icwsStatus = map[string]string{"Ready": "Available", "NotReady": "Available, No ACD", "NotReadyAfterCallWork": "Follow Up"}

// expects holds what is shown, what has been told, and what the sites hold, to want.
func (p *player) expects(when string, want day) {
	p.t.Helper()
	eventually(p.t, fmt.Sprintf("%s %s is shown %+v; now %+v", when, p.agent, want, p.shows()), func() bool { return p.shows() == want })
	eventually(p.t, fmt.Sprintf("%s the sites hold %+v of %s; now %+v", when, want, p.agent, p.held(want)), func() bool { return p.held(want) == want })
	if p.comet != nil {
		p.agrees(when, want)
	}
}

// agrees holds what has been told to want, and to be what the next GET /me says, member by member.
func (p *player) agrees(when string, want day) {
	p.t.Helper()
	diff := ""
	deadline := time.Now().Add(10 * time.Second)
	for ; ; time.Sleep(2 * time.Millisecond) {
		known, _ := p.comet.knows()
		diff = cmp.Diff(p.reads().plain(), known.plain(), cmp.AllowUnexported(picture{}), cmpopts.EquateEmpty())
		if diff == "" && known.day(p.t, p.second) == want && known.quiet(want.dnd) {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%s %s has been told %+v; want %+v, and what /me says (-read +told):\n%s", when, p.agent, known, want, diff)
		}
	}
}

// held returns what the sites hold of the agent's channels. What an ICWS site holds is a status, which
// stands for the state in want, or for do-not-disturb, under which the state is Portico's to keep.
func (p *player) held(want day) day {
	p.t.Helper()
	var held day
	if p.agent != "anna" {
		held = p.heldByHTCC()
	}
	if p.agent == "bjorn" {
		return held
	}
	state, err := p.sim.State(p.agent)
	if err != nil {
		p.t.Fatal(err)
	}
	if p.agent == "cleo" && held.dnd != want.dnd {
		return held
	}
	fits := state.StatusID == icwsStatus[want.voice]
	if p.agent == "anna" && want.second == "Ready" {
		fits = state.StatusID == icwsStatus["Ready"] && state.Activations["Mail"]
	}
	if want.dnd == htccapi.On {
		fits = state.StatusID == "Do Not disturb"
	}
	if !fits {
		return day{voice: state.StatusID}
	}
	held.voice, held.dnd = want.voice, want.dnd
	if p.agent == "anna" {
		held.second = want.second
	}
	return held
}

func (p *player) heldByHTCC() day {
	p.t.Helper()
	state, err := p.cloud.State(p.agent)
	if err != nil {
		p.t.Fatal(err)
	}
	held := day{dnd: state.DND}
	for _, channel := range state.Channels {
		switch string(channel.Channel) {
		case "voice":
			held.voice = stateText(&channel.UserState)
		case p.second:
			held.second = stateText(&channel.UserState)
		}
	}
	return held
}

// leaves ends the CometD client as applications do that log out, and is told nothing after it.
func (p *player) leaves() {
	p.t.Helper()
	p.waits(p.comet)
	p.comet.says("/meta/disconnect", "")
	p.comet.stops("after the disconnect", "none")
	p.comet = nil
}

// ends logs out and holds the sites to have nothing of the agent left.
func (p *player) ends() {
	p.t.Helper()
	p.post("/api/v2/me", `{"operationName":"EndContactCenterSession"}`).is(p.t, "End of "+p.agent, http.StatusOK, `{"statusCode":0}`)
	eventually(p.t, "the sites have no session of "+p.agent, func() bool {
		at, err := p.sim.State(p.agent)
		atCloud, errCloud := p.cloud.State(p.agent)
		return (err != nil || at.Sessions == 0) && (errCloud != nil || !atCloud.ContactCenterSession)
	})
}

// besideAfterCallWork is the state of the second channel: an ICWS site has one status for both.
func (p *player) besideAfterCallWork() string {
	if p.agent == "anna" {
		return "NotReadyAfterCallWork"
	}
	return "NotReady"
}
