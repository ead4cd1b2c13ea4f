package proxy

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// A comet is the CometD client of an application. Once it listens it connects again and again, as they
// all do, until it is told to stop or the test ends, and keeps its picture of the agent up to date.
type comet struct {
	t     testing.TB
	line  line
	id    string        // that the server gave it
	ended chan struct{} // closed when it no longer connects

	mu      sync.Mutex
	said    int                    // messages sent; guarded by mu
	waiting map[string]chan bayeux // who waits for the reply to a message, by its id; guarded by mu
	replies int64                  // to connects; guarded by mu
	heard   []bayeux               // notifications, in their order; guarded by mu
	picture picture                // guarded by mu
	last    bayeux                 // the reply after which it stopped connecting; guarded by mu
}

// A line carries a comet's messages to the door, and what comes back to receive.
type line interface {
	send(ctx context.Context, c *comet, channel, batch string) error
}

// A bayeux is a message that came: a reply, or a notification, which has data.
type bayeux struct {
	ID                       string
	Channel                  string
	ClientID                 string
	Successful               bool
	Error                    string
	SupportedConnectionTypes []string
	Advice                   struct{ Reconnect string }
	Data                     *notification
	raw                      string
}

// A notification is what applications read in one about state.
type notification struct {
	MessageType string
	Devices     []thing
	Channels    []thing
}

// newComet returns a client that has not yet said anything.
func newComet(t testing.TB, line line) *comet {
	return &comet{t: t, line: line, ended: make(chan struct{}), waiting: map[string]chan bayeux{}}
}

// speak sends a message, given without id and clientId, and returns the reply to it.
func (c *comet) speak(ctx context.Context, channel, fields string) (bayeux, error) {
	replied := make(chan bayeux, 1)
	c.mu.Lock()
	c.said++
	id := strconv.Itoa(c.said)
	c.waiting[id] = replied
	c.mu.Unlock()
	message := fmt.Sprintf(`{"id":%q,"channel":%q`, id, channel)
	if c.id != "" {
		message += fmt.Sprintf(`,"clientId":%q`, c.id)
	}
	err := c.line.send(ctx, c, channel, "["+message+fields+"}]")
	if err != nil {
		return bayeux{}, err
	}
	select {
	case reply := <-replied:
		return reply, nil
	case <-ctx.Done():
		return bayeux{}, ctx.Err()
	}
}

// says speaks and wants the reply soon and successful.
func (c *comet) says(channel, fields string) bayeux {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	reply, err := c.speak(ctx, channel, fields)
	if err != nil || !reply.Successful || reply.Channel != channel {
		c.t.Fatalf("%s {%s} = %s (%v); want success", channel, fields, reply.raw, err)
	}
	return reply
}

// shakes shakes hands with the members that an application adds, and wants to be offered its transport.
func (c *comet) shakes(fields, transport string) {
	c.t.Helper()
	reply := c.says("/meta/handshake", `,"version":"1.0"`+fields)
	if reply.ClientID == "" || !slices.Contains(reply.SupportedConnectionTypes, transport) {
		c.t.Fatalf("handshake = %s; want a client id and %s", reply.raw, transport)
	}
	c.id = reply.ClientID
}

// subscribes subscribes to topics, one after the other.
func (c *comet) subscribes(topics ...string) {
	c.t.Helper()
	for _, topic := range topics {
		c.says("/meta/subscribe", fmt.Sprintf(`,"subscription":%q`, topic))
	}
}

// listens connects for the rest of the test.
func (c *comet) listens(transport string) {
	ctx, stop := context.WithCancel(context.Background())
	go c.connect(ctx, fmt.Sprintf(`,"connectionType":%q`, transport))
	c.t.Cleanup(func() {
		stop()
		<-c.ended
	})
}

func (c *comet) connect(ctx context.Context, fields string) {
	defer close(c.ended)
	for {
		reply, err := c.speak(ctx, "/meta/connect", fields)
		if err == nil && reply.Successful && reply.Advice.Reconnect != "none" {
			continue
		}
		if err != nil && ctx.Err() == nil {
			c.t.Errorf("connect: %v", err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.last = reply
		return
	}
}

// receive takes what came: notifications to keep, and replies to those who wait for them.
func (c *comet) receive(body string) error {
	var messages []json.RawMessage
	err := json.Unmarshal([]byte(body), &messages)
	if err != nil {
		return fmt.Errorf("CometD says %q: %w", body, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, raw := range messages {
		message := bayeux{raw: string(raw)}
		err = json.Unmarshal(raw, &message)
		if err != nil {
			return fmt.Errorf("CometD says %s: %w", raw, err)
		}
		if message.Data != nil {
			c.heard = append(c.heard, message)
			c.picture.learn(message.Channel, *message.Data)
			continue
		}
		replied := c.waiting[message.ID]
		if replied == nil {
			return fmt.Errorf("CometD replies %s to nothing that was said", raw)
		}
		delete(c.waiting, message.ID)
		if message.Channel == "/meta/connect" {
			c.replies++
		}
		replied <- message
	}
	return nil
}

// reads lays a reading under what is told from now on. Nothing is learnt while the application reads,
// so that what is told meanwhile comes after it.
func (c *comet) reads(read func() picture) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.picture = read()
}

// knows returns the picture, and how many notifications made it.
func (c *comet) knows() (picture, int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.picture, len(c.heard)
}

// connects returns how many connects were replied to.
func (c *comet) connects() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.replies
}

// stops waits until the client no longer connects, and holds the last reply to its advice.
func (c *comet) stops(when, advice string) {
	c.t.Helper()
	select {
	case <-c.ended:
	case <-time.After(10 * time.Second):
		c.t.Fatalf("%s the client still connects", when)
	}
	if c.last.Advice.Reconnect != advice {
		c.t.Errorf("%s the held connect = %s; want the advice %q", when, c.last.raw, advice)
	}
}

// polling is long-polling.
type polling struct {
	app      *caller
	client   *http.Client
	suffixed bool // the URL has the type of a message behind it
}

// send posts a batch. cometd.js writes the last part of a meta channel behind the URL, for what concerns
// the connection; for all else it writes a slash.
func (l polling) send(ctx context.Context, c *comet, channel, batch string) error {
	url := l.app.url + notificationsPath
	if l.suffixed {
		suffix := strings.TrimPrefix(channel, "/meta")
		if strings.HasSuffix(channel, "subscribe") {
			suffix = "/"
		}
		url += suffix
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(batch))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json;charset=UTF-8")
	for i := 0; i < len(l.app.headers); i += 2 {
		request.Header.Set(l.app.headers[i], l.app.headers[i+1])
	}
	response, err := l.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s to CometD = %d %s", batch, response.StatusCode, body)
	}
	return c.receive(string(body))
}

// socket is a websocket.
type socket struct{ conn *websocket.Conn }

func (l socket) send(ctx context.Context, _ *comet, _, batch string) error {
	return l.conn.Write(ctx, websocket.MessageText, []byte(batch))
}

// read takes what comes over the socket until it is closed.
func (l socket) read(c *comet) {
	for {
		_, body, err := l.conn.Read(context.Background())
		if err != nil {
			return
		}
		err = c.receive(string(body))
		if err != nil {
			c.t.Error(err)
		}
	}
}
