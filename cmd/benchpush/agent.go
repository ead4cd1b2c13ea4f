package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

const pathNotifications = "/api/v2/notifications"

// An agent is one at work: logged in, with an application that waits for notifications.
type agent struct {
	name     string
	portico  string // address
	cookies  string
	clientID string
	poll     *wire

	sent    atomic.Int64 // when its status was changed, in Unix nanoseconds; 0 = no notification is awaited
	changes atomic.Int64 // of its status so far
	answers atomic.Int64 // to its connects so far
}

// newAgents returns agents who are to work at a Portico.
func newAgents(count int, portico string) []*agent {
	agents := make([]*agent, count)
	for i := range agents {
		agents[i] = &agent{name: fmt.Sprintf("agent%04d", i+1), portico: portico}
	}
	return agents
}

// request returns a POST of body, or a GET of none, as a browser with the agent's cookies would send it.
func (a *agent) request(path, body string, headers ...string) []byte {
	var b bytes.Buffer
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, path, a.portico)
	if a.cookies != "" {
		fmt.Fprintf(&b, "Cookie: %s\r\nOrigin: http://%s\r\n", a.cookies, a.portico)
	}
	for _, header := range headers {
		b.WriteString(header + "\r\n")
	}
	if body != "" {
		fmt.Fprintf(&b, "Content-Type: application/json;charset=UTF-8\r\nContent-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	return b.Bytes()
}

// logIn opens the agent's session, on a connection that is closed again.
func (a *agent) logIn(ctx context.Context) error {
	w, err := dial(ctx, a.portico)
	if err != nil {
		return err
	}
	defer w.close()
	login, _ := http.NewRequest(http.MethodGet, "/", nil)
	login.SetBasicAuth(a.name, a.name)
	answer, body, err := w.do(a.request("/api/v2/me", "", "Authorization: "+login.Header.Get("Authorization")))
	if err != nil {
		return fmt.Errorf("log in %s: %w", a.name, err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("log in %s: %s: %s", a.name, answer.Status, body)
	}
	a.keep(answer)
	return nil
}

// keep keeps the cookies of an answer.
func (a *agent) keep(answer *http.Response) {
	for _, cookie := range answer.Cookies() {
		if !strings.Contains(a.cookies, cookie.Name+"=") {
			a.cookies = strings.TrimPrefix(a.cookies+"; ", "; ") + cookie.Name + "=" + cookie.Value
		}
	}
}

// Messages of a CometD client.
const (
	handshake = `[{"id":"1","channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":[%q],"advice":{"timeout":60000,"interval":0}}]`
	subscribe = `[{"id":"2","channel":"/meta/subscribe","subscription":"/v2/me/*","clientId":%q}]`
	connect   = `[{"id":"3","channel":"/meta/connect","connectionType":%q,"clientId":%q}]`
	atOnce    = `[{"id":"3","channel":"/meta/connect","connectionType":%q,"clientId":%q,"advice":{"timeout":0}}]`
)

// shaken is the part of a handshake's answer that counts.
type shaken []struct {
	ClientID string `json:"clientId"`
}

func clientIDOf(body []byte) (string, error) {
	var answer shaken
	err := json.Unmarshal(body, &answer)
	if err != nil || len(answer) != 1 || answer[0].ClientID == "" {
		return "", fmt.Errorf("a handshake was answered with %s", body)
	}
	return answer[0].ClientID, nil
}

// successful returns what went wrong with a message: err, or what it was answered.
func successful(body []byte, err error) error {
	if err == nil && !bytes.Contains(body, []byte(`"successful":true`)) {
		err = fmt.Errorf("it was answered %s", body)
	}
	return err
}

// subscribe makes the agent a client of CometD with every subscription, on a connection that stays.
func (a *agent) subscribe(ctx context.Context) error {
	w, err := dial(ctx, a.portico)
	if err != nil {
		return err
	}
	a.poll = w
	answer, body, err := w.do(a.request(pathNotifications+"/handshake", fmt.Sprintf(handshake, "long-polling")))
	if err != nil {
		return fmt.Errorf("handshake of %s: %w", a.name, err)
	}
	a.keep(answer)
	a.clientID, err = clientIDOf(body)
	if err != nil {
		return err
	}
	for _, message := range []string{fmt.Sprintf(subscribe, a.clientID), fmt.Sprintf(atOnce, "long-polling", a.clientID)} {
		_, body, err = w.do(a.request(pathNotifications, message))
		err = successful(body, err)
		if err != nil {
			return fmt.Errorf("subscribe %s: %w", a.name, err)
		}
	}
	return nil
}

// hold holds a connect, and the next one after each that is answered, until ctx ends. Each first answer
// with events after a change is told to arrived, with the time it took.
func (a *agent) hold(ctx context.Context, arrived func(time.Duration)) error {
	defer a.poll.close()
	request := a.request(pathNotifications+"/connect", fmt.Sprintf(connect, "long-polling", a.clientID))
	for {
		_, body, err := a.poll.do(request)
		now := time.Now()
		if ctx.Err() != nil {
			return nil
		}
		err = successful(body, err)
		if err != nil {
			return fmt.Errorf("connect of %s: %w", a.name, err)
		}
		a.answers.Add(1)
		if !bytes.Contains(body, []byte(`"data":`)) {
			continue
		}
		sent := a.sent.Swap(0)
		if sent != 0 {
			arrived(now.Sub(time.Unix(0, sent)))
		}
	}
}
