package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"
)

// TestAHeldConnectDoesNotHoldUpTheEnd stops the demo while an application waits for notifications.
func TestAHeldConnectDoesNotHoldUpTheEnd(t *testing.T) {
	demo := start(t, "demo", "--json", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--icws", "127.0.0.1:0", "--htcc", "127.0.0.1:0")
	var at addresses
	err := json.Unmarshal([]byte(demo.out.next(t)), &at)
	if err != nil {
		t.Fatal(err)
	}
	path := at.Portico + "/api/v2/notifications"
	var shaken []struct{ ClientID string }
	err = json.Unmarshal([]byte(try{method: "POST", path: path, body: `[{"channel":"/meta/handshake","version":"1.0"}]`}.do(t)), &shaken)
	if err != nil || len(shaken) != 1 {
		t.Fatalf("handshake: %v %v", shaken, err)
	}
	connect := try{method: "POST", path: path + "/connect", body: fmt.Sprintf(`[{"channel":"/meta/connect","clientId":%q,"connectionType":"long-polling"}]`, shaken[0].ClientID)}
	connect.do(t)
	answered := make(chan string, 1)
	go func() { answered <- connect.do(t) }()
	held := try{method: "GET", path: at.Admin + "/metrics", want: `...portico_http_requests_in_flight{kind="push"} 1...`}
	for deadline := time.Now().Add(10 * time.Second); !matches(strings.TrimSpace(held.do(t)), held.want); {
		if time.Now().After(deadline) {
			t.Fatal("no connect is held")
		}
	}
	began := time.Now()
	demo.end(t)
	if took := time.Since(began); took > 4*time.Second { // the demo's grace is 5 s, a connect is held for 30
		t.Errorf("the demo took %v to end", took)
	}
	got := <-answered
	if !strings.Contains(got, `"successful":true`) || !strings.Contains(got, `"reconnect":"retry"`) {
		t.Errorf("the held connect = %s; want the advice to connect again", got)
	}
}

// TestANativeStreamDoesNotHoldUpTheEnd stops the demo while an ICWS application holds its event
// stream, which ends as if the site had ended it.
func TestANativeStreamDoesNotHoldUpTheEnd(t *testing.T) {
	demo := start(t, "demo", "--json", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--icws", "127.0.0.1:0", "--htcc", "127.0.0.1:0")
	var at addresses
	err := json.Unmarshal([]byte(demo.out.next(t)), &at)
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	client := http.Client{Jar: jar, Transport: transport}
	send := func(method, path, body, header, value string) *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+at.Portico+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(header, value)
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	opened := send("POST", "/icws/connection",
		`{"__type":"urn:inin.com:connection:icAuthConnectionRequestSettings","applicationName":"Own","userID":"anna","password":"anna"}`, "Accept-Language", "de")
	_ = opened.Body.Close()
	stream := send("GET", strings.Replace(opened.Header.Get("Location"), "/connection", "/messaging/messages", 1), "", "Accept", "text/event-stream")
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, stream.Body)
		_ = stream.Body.Close()
		ended <- err
	}()
	began := time.Now()
	demo.end(t)
	if took := time.Since(began); took > 4*time.Second { // the demo's grace is 5 s
		t.Errorf("the demo took %v to end", took)
	}
	if err := <-ended; err != nil || stream.StatusCode != http.StatusOK {
		t.Errorf("the stream = %d, and ended in %v; want its end", stream.StatusCode, err)
	}
}

// TestHeldConnectsEndTheirConnectionsWhileDraining has connects that were held before the stop answered in its drain delay:
// one of those that came by net/http, one that came on its connection after that.
func TestHeldConnectsEndTheirConnectionsWhileDraining(t *testing.T) {
	for name, before := range map[string]int{"the first on its connection": 0, "the next": 1} {
		t.Run(name, func(t *testing.T) {
			s := newCentres(t, nil).open("drain_delay: 7s\n")
			polling, working := s.dial(), s.dial()
			client := polling.shake()
			polling.send("POST", "/api/v2/notifications", fmt.Sprintf(`[{"channel":"/meta/subscribe","clientId":%q,"subscription":"/v2/me/devices"}]`, client))
			polling.answer()
			hold := func() {
				polling.connect(client)
				eventually(t, "a connect is held", func() bool { return s.metric(`portico_http_requests_in_flight{kind="push"}`) == "1" })
			}
			change := func(operation string) (last bool, body string) {
				working.send("POST", "/me", `{"operationName":"`+operation+`"}`)
				working.answer()
				_, last, body = polling.answer()
				return last, body
			}
			for range before {
				hold()
				if last, body := change("Ready"); last {
					t.Errorf("before the stop: %s, and the last on its connection", body)
				}
			}
			hold()
			s.stop()
			<-s.delayed
			if last, body := change("NotReady"); !last || !strings.Contains(body, "/v2/me/devices") {
				t.Errorf("while draining: last %v, %s; want an event, and the last on its connection", last, body)
			}
			close(s.over)
			if err := <-s.ended; err != nil {
				t.Errorf("run = %v", err)
			}
		})
	}
}
