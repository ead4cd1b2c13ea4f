package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"
)

// TestNothingIsLeftAfterAStop serves agents of all three kinds with a connection of each kind, stops,
// and looks for what is left: here, and at the contact centres.
func TestNothingIsLeftAfterAStop(t *testing.T) {
	before := goleak.IgnoreCurrent()
	c := newCentres(t, nil)
	s := c.serveWith("drain_delay: 0s\ngrace: 10s\n")
	for _, agent := range []string{"anna", "bjorn", "cleo"} {
		if status, body := s.get(agent, s.door+"/api/v2/me?subresources=*"); status != http.StatusOK {
			t.Fatalf("%s gets %d %s", agent, status, body)
		}
	}
	var ended []<-chan struct{}
	for _, agent := range []string{"anna", "bjorn", "cleo"} {
		ended = append(ended, s.polls(agent), s.listens(agent))
	}
	ended = append(ended, s.streams("agent0002"))
	eventually(t, "a connect, a socket and a stream of each are held", func() bool {
		return s.metric(`portico_http_requests_in_flight{kind="push"}`) == `portico_http_requests_in_flight{kind="push"} 7`
	})
	eventually(t, "HTCC is listened to", func() bool { return s.notifications("bjorn") == 1 && s.notifications("cleo") == 1 })

	if code := s.end(); code != exitOK {
		t.Errorf("exit code %d; log:\n%s", code, s.log)
	}
	for _, one := range ended {
		select {
		case <-one:
		case <-time.After(30 * time.Second):
			t.Fatal("a connection of an application is still open")
		}
	}
	s.sessions("anna", 0)
	s.sessions("cleo", 0)
	s.sessions("agent0002", 1) // the application's own, which Portico does not end
	for _, agent := range []string{"bjorn", "cleo"} {
		if got := s.notifications(agent); got != 0 {
			t.Errorf("%d CometD sessions of %s are left at HTCC", got, agent)
		}
	}
	s.http.CloseIdleConnections()
	c.close()
	goleak.VerifyNone(t, before)
}

// notifications returns how many CometD sessions of an agent HTCC has.
func (s *serving) notifications(agent string) int {
	s.t.Helper()
	state, err := s.cloud.State(agent)
	if err != nil {
		s.t.Fatal(err)
	}
	return state.Notifications
}

// send sends a request as an agent.
func (s *serving) send(agent, method, path, body string) *http.Response {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.door+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.SetBasicAuth(agent, agent)
	reply, err := s.http.Do(request)
	if err != nil {
		s.t.Error(err) // perhaps not in the test's goroutine
		return &http.Response{Body: http.NoBody}
	}
	return reply
}

// polls has an agent wait for notifications by a held connect. The channel is closed at its end.
func (s *serving) polls(agent string) <-chan struct{} {
	s.t.Helper()
	shaken := s.send(agent, http.MethodPost, "/api/v2/notifications", `[{"channel":"/meta/handshake","version":"1.0"}]`)
	client := clientOf(s.t, readAll(s.t, shaken))
	readAll(s.t, s.send(agent, http.MethodPost, "/api/v2/notifications", connectOf(client, "long-polling")))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		readAll(s.t, s.send(agent, http.MethodPost, "/api/v2/notifications", connectOf(client, "long-polling")))
	}()
	return ended
}

// listens has an agent wait for notifications on a websocket. The channel is closed at its end.
func (s *serving) listens(agent string) <-chan struct{} {
	s.t.Helper()
	request := http.Request{Header: http.Header{}}
	request.SetBasicAuth(agent, agent)
	conn, _, err := websocket.Dial(s.t.Context(), s.door+"/api/v2/notifications", &websocket.DialOptions{HTTPHeader: request.Header, HTTPClient: s.http})
	if err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for err == nil {
			_, _, err = conn.Read(s.t.Context())
		}
		_ = conn.CloseNow()
	}()
	return ended
}

// streams has an application that speaks ICWS hold its event stream. The channel is closed at its end.
func (s *serving) streams(user string) <-chan struct{} {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	client := http.Client{Jar: jar, Transport: s.http.Transport}
	do := func(method, path, body, header, value string) *http.Response {
		request, err := http.NewRequestWithContext(s.t.Context(), method, s.door+path, strings.NewReader(body))
		if err != nil {
			s.t.Fatal(err)
		}
		request.Header.Set(header, value)
		reply, err := client.Do(request)
		if err != nil || reply.StatusCode/100 != 2 {
			s.t.Fatalf("%s %s: %v %v", method, path, reply, err)
		}
		return reply
	}
	opened := do(http.MethodPost, "/icws/connection", `{"__type":"urn:inin.com:connection:icAuthConnectionRequestSettings",`+
		`"applicationName":"Own","userID":"`+user+`","password":"`+user+`"}`, "Accept-Language", "de")
	readAll(s.t, opened)
	stream := do(http.MethodGet, strings.Replace(opened.Header.Get("Location"), "/connection", "/messaging/messages", 1), "",
		"Accept", "text/event-stream")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		readAll(s.t, stream)
	}()
	return ended
}

// readAll reads an answer to its end.
func readAll(t *testing.T, reply *http.Response) string {
	body, err := io.ReadAll(reply.Body)
	_ = reply.Body.Close()
	if err != nil {
		t.Error(err)
	}
	return string(body)
}
