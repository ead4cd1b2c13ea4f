package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// topics are what each persona subscribes to, one request each.
var topics = map[persona][]string{
	desktop: {"/v2/me/*"},
	phone:   {"/v2/me/devices", "/v2/me/channels", "/v2/me/calls", "/v2/me/chats", "/v2/me/emails"},
	client:  {"/**"},
}

// A bayeux is a message of CometD, as far as an application must know it.
type bayeux struct {
	ID                       string   `json:"id,omitempty"`
	Channel                  string   `json:"channel"`
	ClientID                 string   `json:"clientId,omitempty"`
	Version                  string   `json:"version,omitempty"`
	SupportedConnectionTypes []string `json:"supportedConnectionTypes,omitempty"`
	ConnectionType           string   `json:"connectionType,omitempty"`
	Subscription             string   `json:"subscription,omitempty"`
	Successful               bool     `json:"successful,omitempty"`
	Error                    string   `json:"error,omitempty"`
	Advice                   *advice  `json:"advice,omitempty"`
}

type advice struct {
	Reconnect string `json:"reconnect,omitempty"`
	Interval  int    `json:"interval,omitempty"` // ms
}

const longPolling = "long-polling"

// errHandshake says that the server knows the application's CometD session no more.
var errHandshake = errors.New("told to shake hands")

// listen shakes hands, subscribes and keeps a connect held from then on. When the server forgets the
// application it begins anew and reads what was missed.
func (a *htccApp) listen(ctx context.Context) error {
	err := a.join(ctx)
	if err != nil {
		return err
	}
	a.ear.listen(a.life, func(ear context.Context) {
		err := a.hear(ear)
		if ear.Err() == nil && !a.leaving.Load() {
			a.failed(fmt.Errorf("%s: listen: %w", a.name, err))
		}
	})
	return nil
}

// hear connects again and again until ctx ends, the application leaves or something fails.
func (a *htccApp) hear(ctx context.Context) error {
	for {
		err := a.connect(ctx)
		if a.leaving.Load() {
			return nil
		}
		if errors.Is(err, errHandshake) {
			err = inTurn(ctx, a.join, a.gets(stateMe))
		}
		if err != nil {
			return err
		}
	}
}

// leave ends the CometD session. The server then answers the connect that is held, and no other
// follows: one under way with credentials when the agent's session ends would log them in again.
func (a *htccApp) leave(ctx context.Context) error {
	if a.clientID.Load() == nil {
		return nil
	}
	a.leaving.Store(true)
	_, err := a.exchange(ctx, bayeux{Channel: "/meta/disconnect"})
	select {
	case <-a.ear.deaf:
	case <-time.After(patience):
	case <-ctx.Done():
	}
	a.ear.close()
	if errors.Is(err, errHandshake) { // so it is over as well
		return nil
	}
	return err
}

// join shakes hands and subscribes.
func (a *htccApp) join(ctx context.Context) error {
	a.clientID.Store(nil)
	got, err := a.exchange(ctx, bayeux{Channel: "/meta/handshake", Version: "1.0", SupportedConnectionTypes: []string{longPolling}})
	if err != nil {
		return err
	}
	a.clientID.Store(&got.ClientID)
	for _, topic := range topics[a.persona] {
		_, err = a.exchange(ctx, bayeux{Channel: "/meta/subscribe", Subscription: topic})
		if err != nil {
			return err
		}
	}
	return nil
}

// connect waits for what there is to hear.
func (a *htccApp) connect(ctx context.Context) error {
	got, err := a.exchange(ctx, bayeux{Channel: "/meta/connect", ConnectionType: longPolling})
	if err == nil && got.Advice != nil {
		rest(ctx, time.Duration(got.Advice.Interval)*time.Millisecond)
	}
	return err
}

// exchange sends a message and returns the reply to it. What else comes is for the agent to see, and
// not read here.
func (a *htccApp) exchange(ctx context.Context, m bayeux) (bayeux, error) {
	m.ID = "1"
	if known := a.clientID.Load(); known != nil {
		m.ClientID = *known
	}
	r := a.request(http.MethodPost, "/api/v2/notifications", []bayeux{m})
	if !a.hasCookie() {
		r.header.Set("Authorization", a.basic())
	}
	got, err := r.do(ctx, a.comet)
	if err != nil {
		return bayeux{}, err
	}
	var replies []bayeux
	err = json.Unmarshal(got.body, &replies)
	if err != nil || got.status != http.StatusOK {
		return bayeux{}, r.unexpected(got)
	}
	for _, reply := range replies {
		if reply.Channel == m.Channel {
			return reply, reply.verdict()
		}
	}
	return bayeux{}, r.unexpected(got)
}

func (m bayeux) verdict() error {
	if m.Successful {
		return nil
	}
	if m.Advice != nil && m.Advice.Reconnect == "handshake" {
		return errHandshake
	}
	return fmt.Errorf("%s: %s", m.Channel, m.Error)
}
