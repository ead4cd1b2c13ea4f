package htcc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"portico/proxy/fault"
	"portico/proxy/htcc/htccsim"
	"portico/proxy/upstream/rig"
	"portico/translate/htccapi"
)

// A life is bjorn's session at a simulator, with a reader. Its log holds "resync", "live", "broken",
// "voice=Ready" for the state of his device, and "chat=Ready" for that of a channel.
type life struct {
	t       testing.TB
	sim     *htccsim.Server
	client  *Client
	reg     *prometheus.Registry
	session *Session
	log     log
	cancel  context.CancelFunc
	done    chan error
}

// settled is longer than the simulator takes to tell of anything, and than a first break takes.
const settled = 5 * time.Second

// withSim runs a test in a bubble of time with a simulator at which bjorn is logged in, has started
// his session, and has a reader.
func withSim(t *testing.T, sim *htccsim.Server, test func(t *testing.T, l *life)) {
	synctest.Test(t, func(t *testing.T) {
		defer sim.Close()
		client, reg := newClient(t, sim.Transport(), nil)
		session, _, err := client.Login(t.Context(), Credentials{UserName: "bjorn", Password: "bjorn"})
		if err != nil {
			t.Fatal(err)
		}
		l := &life{t: t, sim: sim, client: client, reg: reg, session: session, done: make(chan error, 1)}
		l.post(PathMe, `{"operationName":"StartContactCenterSession","channels":["voice","chat"]}`)
		time.Sleep(settled)
		l.start()
		test(t, l)
		l.cancel()
		synctest.Wait()
	})
}

func (l *life) start() {
	ctx, cancel := context.WithCancel(l.t.Context())
	l.cancel = cancel
	receiver := Receiver{
		Message: l.message,
		Resync: func(ctx context.Context) error {
			l.log.Add("resync")
			_, err := l.client.Me(ctx, l.session, "devices", "channels")
			return err
		},
		Live:    func(live bool) { l.log.Add(map[bool]string{true: "live", false: "broken"}[live]) },
		Problem: func(err error) { l.t.Logf("problem: %v", err) },
	}
	go func() { l.done <- l.client.Receive(ctx, l.session, receiver) }()
	synctest.Wait()
}

func (l *life) message(_ string, data json.RawMessage) {
	message := object(l.t, string(data))
	devices, err := Devices(message)
	if err != nil {
		l.t.Error(err)
	}
	for _, device := range devices {
		state, _ := device.UserState()
		l.log.Add("voice=" + state.State)
	}
	channels, err := Channels(message)
	if err != nil {
		l.t.Error(err)
	}
	for _, channel := range channels {
		state, _ := channel.UserState()
		l.log.Add(fmt.Sprintf("%s=%s", channel.Name(), state.State))
	}
}

// post makes an operation that must be accepted.
func (l *life) post(path, body string) Outcome {
	l.t.Helper()
	outcome, err := l.client.Operation(l.t.Context(), l.session, path, json.RawMessage(body))
	if err != nil {
		l.t.Fatal(err)
	}
	return outcome
}

// set gives the voice channel another state.
func (l *life) set(operation htccapi.Operation) {
	l.t.Helper()
	l.post(ChannelPath(htccapi.Voice), fmt.Sprintf(`{"operationName":%q}`, operation))
}

func (l *life) play(f htccsim.Fault) {
	l.t.Helper()
	err := l.sim.Fault(f)
	if err != nil {
		l.t.Fatal(err)
	}
}

// told compares what the Receiver was told with want, once all is settled.
func (l *life) told(want ...string) {
	l.t.Helper()
	time.Sleep(settled)
	synctest.Wait()
	if got := l.log.All(); !slices.Equal(got, want) {
		l.t.Errorf("told %q; want %q", got, want)
	}
}

// ended waits for Receive to return want.
func (l *life) ended(want error) {
	l.t.Helper()
	err := <-l.done
	if !errors.Is(err, want) {
		l.t.Errorf("Receive = %v; want %v", err, want)
	}
}

func TestAShiftAtTheSimulator(t *testing.T) {
	for name, sim := range map[string]*htccsim.Server{
		"as it is":           {},
		"with tokens":        {CSRF: true},
		"codes are strings":  {StringCodes: true},
		"without codes":      {Dialect: htccapi.DialectStatus},
		"voice is a channel": {VoiceInChannels: true, EmptyLists: true},
	} {
		t.Run(name, func(t *testing.T) {
			withSim(t, sim, func(t *testing.T, l *life) {
				l.told("resync", "live")
				l.set(htccapi.NotReady)
				l.set(htccapi.Ready)
				time.Sleep(settled)
				synctest.Wait()
				got := strings.Join(l.log.All(), " ")
				if !strings.Contains(got, "voice=NotReady") || !strings.HasPrefix(got[strings.LastIndex(got, "voice=N"):], "voice=NotReady voice=Ready") {
					t.Errorf("told %s; want NotReady, then Ready", got)
				}
				states, err := l.client.AgentStates(t.Context(), l.session)
				if err != nil || len(states) < 5 {
					t.Errorf("AgentStates = %d, %v; want those of the system at least", len(states), err)
				}
				err = l.client.EndContactCenterSession(t.Context(), l.session)
				if err != nil {
					t.Error(err)
				}
				l.ended(ErrSessionGone)
				_, err = l.client.Me(t.Context(), l.session)
				if !errors.Is(err, ErrSessionGone) {
					t.Errorf("Me after the end = %v; want %v", err, ErrSessionGone)
				}
			})
		})
	}
}

func TestTheReaderKeepsTheSessionAlive(t *testing.T) {
	withSim(t, &htccsim.Server{}, func(t *testing.T, l *life) {
		time.Sleep(8 * time.Hour)
		_, err := l.client.Me(t.Context(), l.session)
		if err != nil {
			t.Error(err)
		}
		l.told("resync", "live")
		if n := value(t, l.reg, "portico_upstream_stream_events_total", map[string]string{"event": "broken"}); n != 0 {
			t.Errorf("broken = %v; want 0", n)
		}
	})
}

func TestTheReaderComesBack(t *testing.T) {
	tests := []struct {
		scenario string
		want     []string
	}{
		{"drop-stream", []string{"resync", "live", "broken", "resync", "live", "voice=NotReady"}},
		{"reset-connection", []string{"resync", "live", "broken", "resync", "live", "voice=NotReady"}},
	}
	for _, test := range tests {
		t.Run(test.scenario, func(t *testing.T) {
			withSim(t, &htccsim.Server{}, func(t *testing.T, l *life) {
				l.play(htccsim.Fault{Scenario: test.scenario, User: "bjorn"})
				time.Sleep(settled)
				l.set(htccapi.NotReady)
				l.told(test.want...)
			})
		})
	}
}

// A notification in an answer that breaks off is lost; what it told of is in the state read after.
func TestTheReaderReadsWhatItMissed(t *testing.T) {
	withSim(t, &htccsim.Server{}, func(t *testing.T, l *life) {
		l.play(htccsim.Fault{Scenario: "truncate-event", User: "bjorn"})
		l.set(htccapi.NotReady)
		l.told("resync", "live", "broken", "resync", "live")
	})
}

func TestTheReaderEndsWithTheSession(t *testing.T) {
	for _, scenario := range []string{"expire-session", "force-logoff"} {
		t.Run(scenario, func(t *testing.T) {
			withSim(t, &htccsim.Server{}, func(_ *testing.T, l *life) {
				l.play(htccsim.Fault{Scenario: scenario, User: "bjorn"})
				l.ended(ErrSessionGone)
			})
		})
	}
}

func TestTokensMayChange(t *testing.T) {
	withSim(t, &htccsim.Server{CSRF: true}, func(t *testing.T, l *life) {
		before := l.session.Snapshot().CSRFToken
		l.play(htccsim.Fault{Scenario: "csrf-change", User: "bjorn"})
		l.set(htccapi.NotReady)
		l.told("resync", "live", "voice=NotReady")
		if after := l.session.Snapshot().CSRFToken; after == before || after == "" {
			t.Errorf("the token is %q after %q; want another", after, before)
		}
	})
}

func TestSuccessInPart(t *testing.T) {
	withSim(t, &htccsim.Server{}, func(t *testing.T, l *life) {
		l.play(htccsim.Fault{Scenario: "multimedia-down"})
		outcome := l.post(PathMe, `{"operationName":"StartContactCenterSession","channels":["voice","chat"]}`)
		if !outcome.Partial || len(outcome.Succeeded) != 1 || len(outcome.Failed) != 1 || outcome.Failed[0].Channel != htccapi.ChannelMultimedia {
			t.Errorf("outcome = %v; want voice to succeed and multimedia to fail", outcome)
		}
		user, err := l.client.Me(t.Context(), l.session, "*")
		if err != nil {
			t.Fatal(err)
		}
		channels, err := Channels(user)
		if err != nil || len(channels) != 0 {
			t.Errorf("Channels = %v, %v; want none while multimedia is down", channels, err)
		}
	})
}

// After each misfortune of one call there is a clear error, the session goes on, and nothing of it
// was seen elsewhere.
func TestTheSessionSurvives(t *testing.T) {
	const me = "GET /api/v2/me"
	tests := []struct {
		fault htccsim.Fault
		want  error // nil for none
	}{
		{htccsim.Fault{Scenario: "garbage", Route: me, Times: 1}, fault.BadUpstream},
		{htccsim.Fault{Scenario: "hang", Route: me, Times: 1}, fault.Timeout},
		{htccsim.Fault{Scenario: "hang-body", Route: me, Times: 1}, fault.Timeout},
		{htccsim.Fault{Scenario: "truncate-body", Route: me, Times: 1}, fault.BadUpstream},
		{htccsim.Fault{Scenario: "redirect", Route: me, Times: 1}, fault.BadUpstream},
		{htccsim.Fault{Scenario: "huge-headers", Route: me, Times: 1}, fault.BadUpstream},
		{htccsim.Fault{Scenario: "reset-connection", Route: me, Times: 1}, fault.Unreachable},
		{htccsim.Fault{Scenario: "dialect-status", Route: me, Times: 1}, nil},
		{htccsim.Fault{Scenario: "string-status-code", Route: me, Times: 1}, nil},
		{htccsim.Fault{Scenario: "missing-channels", Route: me, Times: 1}, nil},
		{htccsim.Fault{Scenario: "empty-cookie", Route: me, Times: 1}, nil},
		{htccsim.Fault{Route: me, Status: 503, Times: 1}, fault.Unreachable},
		{htccsim.Fault{Route: me, Status: 500, Times: 1}, fault.BadUpstream},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.fault.Scenario, test.fault.Status), func(t *testing.T) {
			withSim(t, &htccsim.Server{}, func(t *testing.T, l *life) {
				before := l.session.Snapshot()
				l.play(test.fault)
				_, err := l.client.Me(t.Context(), l.session, "*")
				if test.want == nil && err != nil || !errors.Is(err, test.want) {
					t.Errorf("Me = %v; want %v", err, test.want)
				}
				if after := l.session.Snapshot(); after != before {
					t.Errorf("the session became %s; want %s", mustJSON(t, after), mustJSON(t, before))
				}
				_, err = l.client.Me(t.Context(), l.session, "*")
				if err != nil {
					t.Errorf("Me = %v afterwards", err)
				}
			})
		})
	}
}

// The same on real connections, which are cut while a connect is held.
func TestReceiveOverSockets(t *testing.T) {
	sim := &htccsim.Server{}
	defer sim.Close()
	connects := make(chan struct{}, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if bytes.Contains(body, []byte(metaConnect)) && !bytes.Contains(body, []byte(`"timeout":0`)) {
			connects <- struct{}{}
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		sim.ServeHTTP(w, r)
	}))
	defer server.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client, reg := newClient(t, transport, func(s *Settings) { s.Bases = []string{server.URL} })
	session, _, err := client.Login(t.Context(), Credentials{UserName: "bjorn", Password: "bjorn"})
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan string, 100)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	receiver := Receiver{
		Resync: func(context.Context) error { told <- "resync"; return nil },
		Live:   func(live bool) { told <- fmt.Sprint(live) },
	}
	go func() { done <- client.Receive(ctx, session, receiver) }()
	rig.Expect(t, told, "resync", "true")
	<-connects // else what is cut is an idle connection, which breaks nothing
	server.CloseClientConnections()
	rig.Expect(t, told, "false", "resync", "true")
	if n := value(t, reg, "portico_upstream_connections_total", map[string]string{"reused": "true"}); n == 0 {
		t.Error("no connection was used again")
	}
	err = client.EndContactCenterSession(t.Context(), session)
	if err != nil {
		t.Error(err)
	}
	err = <-done
	if !errors.Is(err, ErrSessionGone) || fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("Receive after the end = %v; want %v", err, ErrSessionGone)
	}
}
