package htccsim

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/translate/htccapi"
)

func TestNotificationsNeedTheUser(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		const shake = `[{"id":"1","channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["long-polling"]}]`
		c := stranger(t, s)
		for _, path := range []string{"/api/v2/notifications", "/api/v2/notifications/", "/api/v2/notifications/handshake"} {
			got := c.do("POST", path, shake)
			if got.status != 403 || got.body != deniedBody {
				t.Errorf("POST %s = %d %s; want 403 %s", path, got.status, got.body, deniedBody)
			}
		}
		got := c.must("POST", "/api/v2/notifications/handshake", shake, basic("bjorn", "bjorn")...)
		want(t, "handshake with Basic", got.body, `"successful":true`, `"clientId":"`, `"timeout":30000`, `"supportedConnectionTypes":["long-polling"`)
		want(t, "its cookies", strings.Join(got.header.Values("Set-Cookie"), "\n"), "JSESSIONID=", "BAYEUX_BROWSER=")
	})
}

// TestCometDSessionsAreFoundByBrowserAndClient is what keeps a client without cookies out.
func TestCometDSessionsAreFoundByBrowserAndClient(t *testing.T) {
	for _, test := range []struct {
		name      string
		isLenient bool
		want      string
	}{
		{"strict", false, "402::Unknown client"},
		{"lenient", true, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &Server{LenientCometD: test.isLenient}
			inBubble(t, s, func(t *testing.T) {
				c := loggedIn(t, s, "bjorn")
				c.listen("/v2/me/*")
				c.http.Jar = nil
				c.header.Set("Authorization", basic("bjorn", "bjorn")[1])
				got := c.speak(connectMessage)[0]
				if got.Error != test.want || test.want != "" && got.Advice.Reconnect != "handshake" {
					t.Errorf("connect without cookies = %s; want error %q", got.raw, test.want)
				}
			})
		})
	}
}

func TestNotificationsAreTheUsersAlone(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		bjorn, tab, cleo := started(t, s, "bjorn", "voice", "chat"), loggedIn(t, s, "bjorn"), started(t, s, "cleo", "voice")
		for _, c := range []*client{bjorn, tab, cleo} {
			c.listen("/**")
		}
		bjorn.operate("/api/v2/me/channels/voice", "NotReady")
		wantList(t, "his", bjorn.heard(), `"phoneNumber":"5101"`)
		wantList(t, "his other tab's", tab.heard(), `"phoneNumber":"5101"`)
		wantList(t, "hers", cleo.heard())
		foreign := cleo.clientID
		bjorn.clientID = foreign
		if got := bjorn.speak(connectMessage)[0]; got.Error != "402::Unknown client" {
			t.Errorf("connect with her clientId = %s; want 402", got.raw)
		}
	})
}

func TestWhenNotificationsCome(t *testing.T) {
	const before = -1 // of the answer
	for _, test := range []struct {
		name  string
		delay time.Duration
		want  []time.Duration
	}{
		{"the measured spread", 0, []time.Duration{before, 2 * time.Millisecond, 20 * time.Millisecond, 85 * time.Millisecond, before}},
		{"always later", time.Second, []time.Duration{time.Second, time.Second}},
		{"always before", -50 * time.Millisecond, []time.Duration{before, before}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &Server{NotifyDelay: test.delay}
			inBubble(t, s, func(t *testing.T) {
				c := loggedIn(t, s, "bjorn")
				setState(t, s, StateChange{User: "bjorn", State: "NotReady"})
				c.listen("/v2/me/devices")
				for _, wanted := range test.want {
					told := make(chan time.Time, 1)
					go func() {
						c.connect()
						told <- time.Now()
					}()
					time.Sleep(time.Second)
					c.operate("/api/v2/me/channels/voice", "NotReady") // the same state is told too
					answered := time.Now()
					got := (<-told).Sub(answered)
					if wanted == before && got >= 0 || wanted != before && got != wanted {
						t.Errorf("notification came %v after the answer; want %v", got, wanted)
					}
				}
			})
		})
	}
}

// TestWhatChangesTogetherIsToldTogether has a telephone and channels changed at once beside a held connect.
func TestWhatChangesTogetherIsToldTogether(t *testing.T) {
	for name, change := range map[string]func(s *Server, c *client){
		"by another client":               func(s *Server, _ *client) { setState(t, s, StateChange{User: "bjorn", State: "OutToLunch", DND: "On"}) },
		"by an operation":                 func(_ *Server, c *client) { c.operate("/api/v2/me", "OutToLunch") },
		"by an operation, do not disturb": func(_ *Server, c *client) { c.operate("/api/v2/me", "DoNotDisturbOn") },
	} {
		t.Run(name, func(t *testing.T) {
			s := &Server{}
			inBubble(t, s, func(t *testing.T) {
				c := started(t, s, "bjorn", "voice", "chat")
				c.listen("/v2/me/*")
				told := make(chan []message, 1)
				go func() { told <- c.connect() }()
				synctest.Wait()
				change(s, c)
				first, rest := <-told, c.heard()
				if len(first) < 2 || len(rest) > 0 {
					t.Errorf("the held connect tells of %d, the next of %d; want all in the first", len(first), len(rest))
				}
			})
		})
	}
}

func TestNotificationsKeepTheirOrder(t *testing.T) {
	s := &Server{} // the spread would have the fourth after the fifth
	inBubble(t, s, func(t *testing.T) {
		c := started(t, s, "bjorn", "voice")
		c.listen("/v2/me/devices")
		operations := []string{"NotReady", "AuxWork", "Ready", "AfterCallWork", "OutToLunch", "Ready", "NotReady", "AuxWork"}
		names := []string{"Not Ready", "AuxWork", "Ready", "AfterCallWork", "Out to Lunch", "Ready", "Not Ready", "AuxWork"}
		for _, operation := range operations {
			c.operate("/api/v2/me/channels/voice", operation)
		}
		for i := range names {
			names[i] = `"displayName":"` + names[i] + `"`
		}
		wantList(t, "notifications", c.heard(), names...)
	})
}

func TestVoiceIsToldWithTheChannelsWhereItIsListed(t *testing.T) {
	s := &Server{VoiceInChannels: true}
	inBubble(t, s, func(t *testing.T) {
		c := started(t, s, "bjorn", "voice", "chat")
		c.listen("/v2/me/*")
		c.operate("/api/v2/me/channels/voice", "NotReady")
		wantList(t, "notifications", c.heard(), "/v2/me/devices",
			`/v2/me/channels {"messageType":"ChannelStateChangeMessageV2","channels":[{"channel":"chat"`)
	})
}

func TestExpireSession(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := started(t, s, "bjorn", "voice", "chat")
		c.listen("/v2/me/*")
		held := make(chan []message, 1)
		go func() { held <- c.speak(connectMessage) }()
		time.Sleep(time.Second)
		fail(t, s, Fault{Scenario: "expire-session", User: "bjorn"})
		if got := (<-held)[0]; got.Error != "402::Unknown client" || got.Advice.Reconnect != "handshake" {
			t.Errorf("held connect = %s; want 402 and handshake", got.raw)
		}
		for _, path := range []string{"/api/v2/me", "/api/v2/me/devices"} {
			if got := c.do("GET", path, ""); got.status != 403 || got.body != deniedBody {
				t.Errorf("GET %s = %d %s; want 403 %s", path, got.status, got.body, deniedBody)
			}
		}
		if got := c.do("POST", "/api/v2/notifications", `[{"channel":"/meta/connect"}]`); got.status != 403 {
			t.Errorf("connect = %d %s; want 403", got.status, got.body)
		}
		c.must("GET", "/api/v2/me", "", basic("bjorn", "bjorn")...)
		if got := c.states()["voice"]; got != "Ready" {
			t.Errorf("voice = %q; want Ready as before", got)
		}
	})
}

func TestDropStream(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := started(t, s, "bjorn", "voice")
		c.listen("/v2/me/*")
		fail(t, s, Fault{Scenario: "drop-stream"})
		if got := c.speak(connectMessage)[0]; got.Error != "402::Unknown client" || got.Advice.Reconnect != "handshake" {
			t.Errorf("connect = %s; want 402 and handshake", got.raw)
		}
		c.must("GET", "/api/v2/me", "")
		c.listen("/v2/me/devices") // after a new handshake there are no subscriptions but these
		c.operate("/api/v2/me/channels/voice", "NotReady")
		wantList(t, "notifications", c.heard(), "/v2/me/devices")
	})
}

func TestForceLogoff(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := started(t, s, "bjorn", "voice")
		fail(t, s, Fault{Scenario: "force-logoff", User: "bjorn"})
		if got := c.do("GET", "/api/v2/me", ""); got.status != 403 {
			t.Errorf("GET /me = %d; want 403", got.status)
		}
		if got := loggedIn(t, s, "bjorn").states()["voice"]; got != "Offline" {
			t.Errorf("voice = %q; want Offline", got)
		}
	})
}

func TestMaxInterval(t *testing.T) {
	s := &Server{ConnectTimeout: 2 * time.Second, MaxInterval: 5 * time.Second}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "bjorn")
		c.listen("/v2/me/*")
		began := time.Now()
		c.connect()
		if held := time.Since(began); held != 2*time.Second {
			t.Errorf("connect was held for %v; want 2s", held)
		}
		time.Sleep(7 * time.Second)
		if got := c.speak(connectMessage)[0]; got.Error != "402::Unknown client" {
			t.Errorf("connect after 7s = %s; want 402", got.raw)
		}
	})
}

func TestTruncateEvent(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := started(t, s, "bjorn", "voice")
		c.listen("/v2/me/*")
		fail(t, s, Fault{Scenario: "truncate-event", User: "bjorn"})
		c.speak(strings.Replace(connectMessage, "}", `,"advice":{"timeout":0}}`, 1)) // no event, so nothing breaks
		setState(t, s, StateChange{User: "bjorn", Channel: "voice", State: "NotReady"})
		_, err := c.trySpeak(t.Context(), connectMessage)
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("connect = %v; want %v", err, io.ErrUnexpectedEOF)
		}
		setState(t, s, StateChange{User: "bjorn", Channel: "voice", State: "AuxWork"})
		wantList(t, "notifications", c.heard(), `"displayName":"AuxWork"`)
	})
}

func TestResetConnection(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := started(t, s, "bjorn", "voice")
		c.listen("/v2/me/*")
		broken := make(chan error, 1)
		go func() {
			_, err := c.trySpeak(context.Background(), connectMessage)
			broken <- err
		}()
		time.Sleep(time.Second)
		fail(t, s, Fault{Scenario: "reset-connection", User: "bjorn"})
		if err := <-broken; err == nil {
			t.Error("held connect was answered; want it to break off")
		}
		c.operate("/api/v2/me/channels/voice", "NotReady")
		wantList(t, "notifications", c.heard(), `"state":"NotReady"`) // the CometD session lives
		fail(t, s, Fault{Scenario: "reset-connection", Route: "GET /api/v2/me"})
		if _, err := c.try(t.Context(), "GET", "/api/v2/me", ""); err == nil {
			t.Error("GET /me was answered; want it to break off")
		}
		c.must("GET", "/api/v2/me", "")
	})
}

func TestLoseNotification(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := started(t, s, "bjorn", "voice")
		c.listen("/v2/me/*")
		fail(t, s, Fault{Scenario: "lose-notification", User: "bjorn"})
		c.operate("/api/v2/me/channels/voice", "NotReady")
		c.operate("/api/v2/me/channels/voice", "AuxWork")
		wantList(t, "notifications", c.heard(), `"displayName":"AuxWork"`)
	})
}

func TestCalls(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := started(t, s, "bjorn", "voice")
		c.listen("/v2/me/calls")
		fail(t, s, Fault{Scenario: "call", User: "bjorn"})
		want(t, "GET /me", c.must("GET", "/api/v2/me?subresources=calls", "").body, `"calls":[{"id":"`, `"state":"Established"`)
		want(t, "voice", c.must("GET", "/api/v2/me/channels/voice", "").body, `"userActivity":"HandlingCall"`)
		const shown = `"participants":[{"e164Number":"","formattedPhoneNumber":"5550100","phoneNumber":"5550100","digits":"5550100"}],` +
			`"ani":"5550100","dnis":"5101","callType":"Inbound","capabilities":["Hangup","Hold"],"userData":{},"duration":"0","mute":"Off",` +
			`"supervisorListeningIn":false,"monitoredUserMuted":false,"monitoring":false,"uri":"http://htcc.example:8090/api/v2/me/calls/`
		want(t, "GET /me", c.must("GET", "/api/v2/me?subresources=calls", "").body, shown)
		call := c.onlyCall()
		want(t, "GET "+call, c.must("GET", call, "").body, `{"statusCode":0,"call":{"id":"`, `"state":"Established"`, shown)
		fail(t, s, Fault{Scenario: "end-call", User: "bjorn"})
		if got := c.do("GET", call, ""); got.status != 404 || !strings.HasPrefix(got.body, `{"statusCode":6,`) {
			t.Errorf("GET %s after its end = %d %s; want 404 with 6", call, got.status, got.body)
		}
		heard := c.heard()
		wantList(t, "notifications", heard, `"notificationType":"StatusChange","call":{"id":"`, `"state":"Released"`)
		want(t, "established", heard[0], shown, `"phoneNumber":"5101","extensions":{}`)
		want(t, "released", heard[1], `"participants":[],`, `"capabilities":[],"userData":{}`, `"phoneNumber":"5101","extensions":{}`)
		want(t, "GET /me", c.must("GET", "/api/v2/me?subresources=calls", "").body, `"calls":[]`)
	})
}

// onlyCall returns the path of the agent's one call, as the list has its uri.
func (c *client) onlyCall() string {
	c.t.Helper()
	var answer struct{ URIs []string }
	c.decode(c.must("GET", "/api/v2/me/calls", ""), &answer)
	if len(answer.URIs) != 1 {
		c.t.Fatalf("calls = %q; want one", answer.URIs)
	}
	path, is := strings.CutPrefix(answer.URIs[0], c.base)
	if !is {
		c.t.Fatalf("uri = %q; want one at %s", answer.URIs[0], c.base)
	}
	return path
}

// TestUpgradeIsRefused since the .NET client tries websocket first.
func TestUpgradeIsRefused(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "bjorn")
		got := c.do("GET", "/api/v2/notifications", "", "Connection", "Upgrade", "Upgrade", "websocket",
			"Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
		if got.status < 400 || got.status == http.StatusForbidden {
			t.Errorf("upgrade = %d %s; want an error", got.status, got.body)
		}
	})
}

func TestCloseLetsConnectsGo(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "bjorn")
		c.listen("/v2/me/*")
		done := make(chan struct{})
		go func() {
			c.connect()
			close(done)
		}()
		time.Sleep(time.Second)
		began := time.Now()
		s.Close()
		<-done
		if waited := time.Since(began); waited != 0 {
			t.Errorf("the held connect was answered after %v; want at once", waited)
		}
		s.Close() // once more does no harm
	})
}

func TestNotificationsHaveMetrics(t *testing.T) {
	s := &Server{Now: func() time.Time { return time.UnixMilli(1767225600123) }}
	inBubble(t, s, func(t *testing.T) {
		c := started(t, s, "bjorn", "voice")
		c.listen(htccapi.TopicDevices)
		c.operate("/api/v2/me/channels/voice", "NotReady")
		wantList(t, "notifications", c.heard(),
			`"metrics":{"eventProcessing":{"nodeProcessingTimeNanos":310000,"serverGenerationTimestamp":1767225600123,"serverProcessingTimeTotalMs":0}}}`)
	})
}

// setState makes a change that must be possible.
func setState(t testing.TB, s *Server, change StateChange) {
	t.Helper()
	err := s.SetState(change)
	if err != nil {
		t.Fatal(err)
	}
}
