package gateway

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/fault"
	"portico/proxy/htcc"
	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/proxy/states"
	"portico/proxy/upstream"
	"portico/translate"
	"portico/translate/htccapi"
)

// newUnion returns a world with two sites: anna works on PureConnect, bjorn on HTCC, cleo on both,
// with voice on PureConnect, chat and email on HTCC.
func newUnion(t *testing.T, pureconnect *icwssim.Server, cloud *htccsim.Server, options ...option) *world {
	t.Helper()
	t.Cleanup(cloud.Close)
	metrics := upstream.NewMetrics(nil, nil)
	both := func(s *Settings, _ *Site) {
		s.Sites = append(s.Sites, Site{Name: "cloud", HTCC: htcc.New(htcc.Settings{Site: "cloud", Bases: []string{"http://gws.example:8090"},
			Timeout: 5 * time.Second, HTTP: cloud.Transport(), Metrics: metrics})})
		s.States = states.Table{"Lunch": {"pureconnect": "At Lunch", "cloud": "OutToLunch"}}
		s.Route = unionRoute
	}
	return newWorld(t, pureconnect, append(options, both)...)
}

func unionRoute(login string) (Route, bool) {
	pureconnect, cloud := Stop{"pureconnect", login}, Stop{"cloud", login}
	switch login {
	case "bjorn":
		return Route{Stops: []Stop{cloud}}, true
	case "cleo":
		return Route{Stops: []Stop{pureconnect, cloud}, Channels: map[htccapi.MediaChannel]string{
			htccapi.Voice: "pureconnect", "chat": "cloud", "email": "cloud"}}, true
	}
	return Route{Stops: []Stop{pureconnect}}, true
}

// post carries out an operation as its body says it, on all channels if channel is "".
func (w *world) post(a *Agent, channel htccapi.MediaChannel, body string) (Outcome, error) {
	w.t.Helper()
	var decoded htccapi.OperationRequest
	err := json.Unmarshal([]byte(body), &decoded)
	if err != nil {
		w.t.Fatal(err)
	}
	ask := Ask{Body: json.RawMessage(body), Request: translate.Request{Operation: decoded.OperationName, Channel: channel}}
	if decoded.OperationName == htccapi.StartContactCenterSession {
		return w.StartContactCenterSession(w.t.Context(), a, decoded.Channels, ask)
	}
	return w.SetAgentState(w.t.Context(), a, ask)
}

// posted is post of what must succeed wholly.
func (w *world) posted(a *Agent, channel htccapi.MediaChannel, body string) Outcome {
	w.t.Helper()
	outcome, err := w.post(a, channel, body)
	if err != nil || len(outcome.Failed) > 0 {
		w.t.Fatalf("%s on %q: %+v, %v", body, channel, outcome, err)
	}
	return outcome
}

// sides says what became of an operation: +voice for success, -chat for failure.
func sides(outcome Outcome) string {
	var list []string
	for _, one := range outcome.Succeeded {
		list = append(list, "+"+string(one.Channel))
	}
	for _, one := range outcome.Failed {
		list = append(list, "-"+string(one.Channel))
	}
	return strings.Join(list, " ")
}

const startAll = `{"operationName":"StartContactCenterSession","channels":["voice","chat","email"]}`

func TestAnAgentOnBothSites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newUnion(t, &icwssim.Server{}, &htccsim.Server{})
		cleo := w.login("cleo")
		w.expect(cleo, "at first", "voice:NotReady Active dnd:Off")
		w.posted(cleo, "", startAll)
		time.Sleep(time.Second)
		w.expect(cleo, "after Start", "voice:NotReady chat:NotReady email:NotReady Active dnd:Off")
		for _, step := range []struct {
			channel htccapi.MediaChannel
			op      string
			shows   string
			instead string
		}{
			{"", "Ready", "voice:Ready chat:Ready email:Ready Active dnd:Off", ""},
			{"chat", "NotReady", "voice:Ready chat:NotReady email:Ready Active dnd:Off", ""},
			{"", "Lunch", "voice:NotReadyAt Lunch chat:NotReadyLunchAuxWork email:NotReadyLunchAuxWork Active dnd:Off", ""},
			{"", "atplay", "voice:NotReadyAt Play chat:NotReady email:NotReady Active dnd:Off", "chat:NotReady email:NotReady"},
			{"", "Available, Remote", "voice:Ready chat:Ready email:Ready Active dnd:Off", "chat:Ready email:Ready"},
			{"email", "AtPlay", "voice:Ready chat:Ready email:NotReady Active dnd:Off", "email:NotReady"},
			{"", "DoNotDisturbOn", "voice:Ready chat:Ready email:NotReady Active dnd:On", ""},
			{"", "DoNotDisturbOff", "voice:Ready chat:Ready email:NotReady Active dnd:Off", ""},
			{"voice", "Offline", "voice:LoggedOut chat:Ready email:NotReady Active dnd:Off", ""},
			{"chat", "Offline", "voice:LoggedOut chat:LoggedOut email:NotReady Active dnd:Off", ""},
			{"", "Ready", "voice:LoggedOut chat:LoggedOut email:Ready Active dnd:Off", ""},
			{"chat", "NotReady", "voice:LoggedOut chat:NotReady email:Ready Active dnd:Off", ""},
		} {
			outcome := w.posted(cleo, step.channel, `{"operationName":"`+step.op+`"}`)
			var instead []string
			for _, one := range outcome.Substituted {
				instead = append(instead, string(one.Channel)+":"+string(one.OperationName))
			}
			if got := strings.Join(instead, " "); got != step.instead {
				t.Errorf("%s on %q substituted %q; want %q", step.op, step.channel, got, step.instead)
			}
			time.Sleep(time.Second)
			w.expect(cleo, step.op+" on "+string(step.channel), step.shows)
		}
		_, err := w.post(cleo, "", `{"operationName":"Siesta"}`)
		if !errors.Is(err, fault.Invalid) || !strings.Contains(fault.Public(err), "OutToLunch") {
			t.Errorf("an operation that no site knows: %v", err)
		}
		_, err = w.post(cleo, "fax", `{"operationName":"Ready"}`)
		if !errors.Is(err, fault.NotFound) {
			t.Errorf("a channel that no site owns: %v", err)
		}
	})
}

// TestDoNotDisturbNeedsNoChannel switches it while no channel of one site counts, or of both: it is the device's too.
func TestDoNotDisturbNeedsNoChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w := newUnion(t, &icwssim.Server{}, cloud)
		cleo := w.login("cleo")
		w.posted(cleo, "", startAll)
		time.Sleep(time.Second)
		for _, step := range []struct {
			channel htccapi.MediaChannel
			op      string
			dnd     string
			holds   string
		}{
			{"voice", "Offline", "Off", "Available, No ACD"},
			{"", "DoNotDisturbOn", "On", "Do Not disturb"},
			{"", "DoNotDisturbOff", "Off", "Available, No ACD"},
			{"chat", "Offline", "Off", "Available, No ACD"},
			{"email", "Offline", "Off", "Available, No ACD"},
			{"", "DoNotDisturbOn", "On", "Do Not disturb"},
			{"", "DoNotDisturbOff", "Off", "Available, No ACD"},
		} {
			w.posted(cleo, step.channel, `{"operationName":"`+step.op+`"}`)
			time.Sleep(time.Second)
			if got := w.shows(cleo); !strings.HasSuffix(got, "dnd:"+step.dnd) {
				t.Errorf("after %s on %q: %s; want dnd:%s", step.op, step.channel, got, step.dnd)
			}
			w.holds("cleo", step.holds)
		}
		w.fault(icwssim.Fault{Route: routePutStatus, Status: 500})
		outcome, err := w.post(cleo, "", `{"operationName":"DoNotDisturbOn"}`)
		if err != nil || sides(outcome) != "+chat +email -voice" {
			t.Errorf("with PureConnect failing: %q, %v; want +chat +email -voice", sides(outcome), err)
		}
	})
}

func TestChannelsNotAskedForAreLoggedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newUnion(t, &icwssim.Server{}, &htccsim.Server{})
		cleo := w.login("cleo")
		outcome, err := w.post(cleo, "", `{"operationName":"StartContactCenterSession","channels":["chat","fax"]}`)
		if err != nil || sides(outcome) != "+chat -fax" {
			t.Errorf("Start = %q, %v; want +chat -fax", sides(outcome), err)
		}
		time.Sleep(time.Second)
		w.expect(cleo, "after Start for chat", "voice:LoggedOut chat:NotReady email:LoggedOut Active dnd:Off")
		outcome, err = w.post(cleo, "", `{"operationName":"Ready"}`)
		if err != nil || sides(outcome) != "+chat" {
			t.Errorf("Ready = %q, %v; want +chat alone", sides(outcome), err)
		}
		w.holds("cleo", "Available, No ACD")
	})
}

func TestOneSiteDownLeavesTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w := newUnion(t, &icwssim.Server{}, cloud)
		cleo := w.login("cleo")
		w.posted(cleo, "", startAll)
		time.Sleep(time.Second)
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(cloud.Fault(htccsim.Fault{Route: "POST /api/v2/me/channels/{channel}", Status: 500}))
		outcome, err := w.post(cleo, "", `{"operationName":"Ready"}`)
		if err != nil || sides(outcome) != "+voice -chat -email" {
			t.Errorf("with HTCC failing: %q, %v; want +voice -chat -email", sides(outcome), err)
		}
		must(w.sim.Fault(icwssim.Fault{Route: routePutStatus, Status: 500}))
		outcome, err = w.post(cleo, "", `{"operationName":"NotReady"}`)
		if !errors.Is(err, fault.BadUpstream) {
			t.Errorf("with both failing: %q, %v; want %v", sides(outcome), err, fault.BadUpstream)
		}
		w.sim.Reset()
		cloud.Reset()
		must(w.sim.Fault(icwssim.Fault{Scenario: "hang"}))
		must(w.sim.Fault(icwssim.Fault{Scenario: "drop-stream", User: "cleo"}))
		synctest.Wait()
		w.expect(cleo, "while ICWS hangs", "chat:NotReady email:NotReady Inactive dnd:Off")
		outcome, err = w.post(cleo, "", `{"operationName":"NotReady"}`)
		if err != nil || sides(outcome) != "+chat +email -voice" {
			t.Errorf("with ICWS hanging: %q, %v; want +chat +email -voice", sides(outcome), err)
		}
		w.sim.Reset()
		time.Sleep(2 * time.Minute)
		w.posted(cleo, "", `{"operationName":"Ready"}`)
		time.Sleep(time.Second)
		w.expect(cleo, "when both are back", "voice:Ready chat:Ready email:Ready Active dnd:Off")
		if got := w.logins(); got != 0 {
			t.Errorf("%d log-ins at PureConnect since it was away; want 0", got)
		}
	})
}

func TestASiteThatIsAwayJoinsLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w := newUnion(t, &icwssim.Server{}, cloud)
		w.fault(icwssim.Fault{Scenario: "hang"})
		cleo := w.login("cleo")
		w.posted(cleo, "chat", `{"operationName":"Offline"}`) // what HTCC has works at once
		w.sim.Reset()
		time.Sleep(time.Minute)
		w.expect(cleo, "when PureConnect is back", "voice:NotReady Active dnd:Off")
	})
}

func TestARefusalAtEitherSiteRefusesTheLogIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newUnion(t, &icwssim.Server{}, &htccsim.Server{Users: []htccsim.User{{UserName: "cleo", Password: "other"}}})
		_, err := w.Login(t.Context(), Caller{Basic: true, Login: "cleo", Password: "cleo"})
		if !errors.Is(err, fault.Unauthenticated) {
			t.Errorf("log in = %v; want %v", err, fault.Unauthenticated)
		}
		state, err := w.sim.State("cleo")
		if err != nil || state.Sessions != 0 {
			t.Errorf("%d sessions are left at the other site (%v); want 0", state.Sessions, err)
		}
	})
}

func TestAnAgentOnHTCCAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w := newUnion(t, &icwssim.Server{}, cloud)
		bjorn := w.login("bjorn")
		w.posted(bjorn, "", `{"operationName":"StartContactCenterSession","channels":["voice","chat"],"place":"","mobileSession":{"debug":true}}`)
		time.Sleep(time.Second)
		w.posted(bjorn, htccapi.Voice, `{"operationName":"Ready","workmode":"ManualIn"}`)
		_, err := w.post(bjorn, htccapi.Voice, `{"operationName":"Siesta"}`)
		if err == nil || strings.Contains(fault.Public(err), "this agent may use") {
			t.Errorf("an operation that HTCC does not know: %v; want its own words", err)
		}
		written := map[string]bool{}
		for _, entry := range cloud.Log() {
			for name := range entry.Written {
				written[name] = true
			}
		}
		for _, name := range []string{"workmode", "mobileSession"} {
			if !written[name] {
				t.Errorf("member %q did not reach HTCC: %v", name, written)
			}
		}
		time.Sleep(2 * time.Second)
		before := cloud.Calls()["GET /api/v2/me"]
		for range 10 {
			w.shows(bjorn)
		}
		if got := cloud.Calls()["GET /api/v2/me"] - before; got != 0 {
			t.Errorf("%d reads reached HTCC while its notifications are received; want 0", got)
		}
	})
}

func TestALostHTCCSessionIsNoOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w := newUnion(t, &icwssim.Server{}, cloud)
		cleo := w.login("cleo")
		w.posted(cleo, "", startAll)
		time.Sleep(time.Second)
		w.posted(cleo, "", `{"operationName":"Ready"}`)
		time.Sleep(time.Second)
		err := cloud.Fault(htccsim.Fault{Scenario: "expire-session", User: "cleo"})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		w.expect(cleo, "after HTCC forgot the session", "voice:Ready chat:Ready email:Ready Active dnd:Off")
		w.posted(cleo, "chat", `{"operationName":"NotReady"}`)
		time.Sleep(time.Second)
		w.expect(cleo, "after an operation on the new one", "voice:Ready chat:NotReady email:Ready Active dnd:Off")
		err = w.EndContactCenterSession(t.Context(), cleo)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		w.holds("cleo", "Available, No ACD")
		state, err := cloud.State("cleo")
		if err != nil || state.ContactCenterSession {
			t.Errorf("HTCC still has the contact centre session (%v)", err)
		}
	})
}

func TestALateReadDoesNotHideWhatWasNotifiedSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w := newUnion(t, &icwssim.Server{}, cloud)
		cleo := w.login("cleo")
		w.posted(cleo, "", startAll)
		time.Sleep(time.Second)
		p := cleo.parts[1].(*htccPart)
		p.setLive(false) // as between a break of the stream and its repair, which notices sooner than the read ends
		err := cloud.Fault(htccsim.Fault{Route: "GET /api/v2/me", User: "cleo", Delay: 3 * time.Second, After: true, Times: 1})
		if err != nil {
			t.Fatal(err)
		}
		read := make(chan error, 1)
		go func() { read <- p.refresh(t.Context()) }()
		time.Sleep(time.Second)
		err = cloud.SetState(htccsim.StateChange{User: "cleo", Channel: "chat", State: "Ready"})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		p.setLive(true)
		err = <-read
		if err != nil {
			t.Fatal(err)
		}
		w.expect(cleo, "after the read came late", "voice:NotReady chat:Ready email:NotReady Active dnd:Off")
	})
}
