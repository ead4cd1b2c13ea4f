package gateway

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"portico/cache"
	"portico/proxy/icws"
	"portico/proxy/icws/icwssim"
	"portico/proxy/session"
	"portico/proxy/upstream"
	"portico/proxy/upstream/memhttp"
	"portico/proxy/upstream/rig"
	"portico/translate"
	"portico/translate/htccapi"
)

// A world is a gateway in front of a simulated site, without sockets, so that it can run in a
// synctest bubble.
type world struct {
	*Gateway
	t   testing.TB
	sim *icwssim.Server
	reg *prometheus.Registry
}

// option changes the settings of a world before it begins.
type option func(*Settings, *Site)

// newWorld returns a running world, which ends with the test.
func newWorld(t testing.TB, sim *icwssim.Server, options ...option) *world {
	t.Helper()
	reg := prometheus.NewRegistry()
	site := Site{
		Name: "pureconnect", Language: "en-us",
		ICWS: newClient(sim.Transport(), reg),
		Rules: translate.Rules{Site: "pureconnect", PublicURL: "https://agents.example", Channels: []translate.Channel{
			{Name: htccapi.Voice, Workgroups: []string{"Sales", "Support"}}, {Name: "email", Workgroups: []string{"Mail"}}}},
	}
	settings := Settings{
		Policy: Policy{Idle: 30 * time.Minute, MaxBytes: 1 << 20, Route: func(login string) (Route, bool) {
			return Route{Stops: []Stop{{Site: "pureconnect", Login: login}}}, login != "nobody"
		}},
		Store: session.NewMemory(),
		Cache: cache.NewMetrics(reg, "pureconnect"), Metrics: NewMetrics(reg), Logger: slog.New(slog.DiscardHandler),
	}
	for _, o := range options {
		o(&settings, &site)
	}
	settings.Sites = append([]Site{site}, settings.Sites...)
	gateway, err := New(settings)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = gateway.Run(ctx)
	}()
	t.Cleanup(func() {
		stopping, stop := context.WithTimeout(context.Background(), 20*time.Second)
		gateway.Close(stopping)
		stop()
		cancel()
		<-ended
		sim.Close()
	})
	return &world{Gateway: gateway, t: t, sim: sim, reg: reg}
}

// newClient returns a client of the simulated site.
func newClient(transport http.RoundTripper, reg prometheus.Registerer) *icws.Client {
	return newLimitedClient(transport, reg, unpaced())
}

func newLimitedClient(transport http.RoundTripper, reg prometheus.Registerer, limits upstream.Limits) *icws.Client {
	return newPatientClient(transport, reg, limits, 5*time.Second)
}

func newPatientClient(transport http.RoundTripper, reg prometheus.Registerer, limits upstream.Limits, timeout time.Duration) *icws.Client {
	return icws.New(icws.Settings{Site: "pureconnect", Bases: []string{"http://ic1.example:8018"}, Application: "Portico",
		Language: "en-us", Timeout: timeout, Limits: limits, HTTP: transport, Streams: ownStreams(transport), Metrics: upstream.NewMetrics(reg, []string{"pureconnect"})})
}

// ownStreams returns event streams on connections of their own, as a running Portico has them, to the server of a
// network in memory; nil for another transport.
func ownStreams(transport http.RoundTripper) http.RoundTripper {
	network, ok := transport.(memhttp.Network)
	if !ok {
		return nil
	}
	return &upstream.Streams{Transport: rig.Piped(network[""])}
}

// unpaced are the limits of production without the pace of log-ins, which tests of its own have.
func unpaced() upstream.Limits {
	limits := production
	limits.Logins = 0
	return limits
}

// login logs an agent in with their name as password.
func (w *world) login(name string) *Agent {
	w.t.Helper()
	agent, err := w.Login(w.t.Context(), Caller{Basic: true, Login: name, Password: name})
	if err != nil {
		w.t.Fatal(err)
	}
	return agent
}

// do carries out an operation, on all channels if channel is "".
func (w *world) do(a *Agent, op htccapi.Operation, channel htccapi.MediaChannel) {
	w.t.Helper()
	err := w.change(w.t.Context(), a, translate.Request{Operation: op, Channel: channel})
	if err != nil {
		w.t.Fatalf("%s on %q: %v", op, channel, err)
	}
}

// change is SetAgentState for an agent on PureConnect alone.
func (w *world) change(ctx context.Context, a *Agent, ask translate.Request) error {
	_, err := w.SetAgentState(ctx, a, Ask{Request: ask})
	return err
}

// shows returns what /me says: state, and reason or work mode, of each channel, and of the device
// whether do-not-disturb is on.
func (w *world) shows(a *Agent) string {
	w.t.Helper()
	me, err := w.Me(w.t.Context(), a, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	text := ""
	for _, channel := range me.Channels {
		var one htccapi.Channel
		w.decode(channel, &one)
		text += string(one.Channel) + ":" + one.UserState.State + one.UserState.Reason + one.UserState.WorkMode + " "
		if one.DNDState != "" {
			text += "with dndState, which notifications alone carry "
		}
	}
	for _, device := range me.Devices {
		var one htccapi.Device
		w.decode(device, &one)
		text += one.DeviceState + " dnd:" + one.DoNotDisturb
	}
	return text
}

// decode reads a resource as callers do.
func (w *world) decode(r Resource, into any) {
	w.t.Helper()
	encoded, err := json.Marshal(r.Body)
	if err == nil {
		err = json.Unmarshal(encoded, into)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// expect holds what /me says to want.
func (w *world) expect(a *Agent, when, want string) {
	w.t.Helper()
	if got := w.shows(a); got != want {
		w.t.Errorf("%s: /me shows %q; want %q", when, got, want)
	}
}

// holds holds the simulator's status of a user to want.
func (w *world) holds(user, want string) {
	w.t.Helper()
	state, err := w.sim.State(user)
	if err != nil || state.StatusID != want {
		w.t.Errorf("the site holds status %q of %s (%v); want %q", state.StatusID, user, err, want)
	}
}

// sessions holds the number of a user's upstream sessions to want.
func (w *world) sessions(user string, want int) {
	w.t.Helper()
	state, err := w.sim.State(user)
	if err != nil || state.Sessions != want {
		w.t.Errorf("%d sessions of %s at the site (%v); want %d", state.Sessions, user, err, want)
	}
}
