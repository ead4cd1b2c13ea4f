package htccsim

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"portico/proxy/upstream/rig"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What tests of both contact centres share, by short names.
var (
	inBubble = rig.InBubble
	want     = rig.Want
	wantList = rig.WantList
)

// settle is longer than any delay of a notification.
const settle = 200 * time.Millisecond

// client is an HTCC client that knows the documented wire and nothing of this package.
type client struct {
	t        testing.TB
	http     *http.Client
	base     string
	header   http.Header // sent with every request
	clientID string      // of CometD
	sent     int         // CometD messages
}

// received is what came back, read whole.
type received struct {
	status int
	header http.Header
	body   string
}

// stranger returns a client with a cookie jar and no credentials. It follows no redirects.
func stranger(t testing.TB, s *Server) *client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	follow := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client{
		t: t, http: &http.Client{Transport: s.Transport(), Jar: jar, CheckRedirect: follow},
		base: "http://htcc.example:8090", header: http.Header{},
	}
}

// loggedIn returns a client with an HTTP session of the user, whose password is their name.
func loggedIn(t testing.TB, s *Server, user string) *client {
	t.Helper()
	c := stranger(t, s)
	got := c.do("GET", "/api/v2/me", "", basic(user, user)...)
	if got.status != http.StatusOK {
		t.Fatalf("log-in of %q = %d %s; want 200", user, got.status, got.body)
	}
	return c
}

// started returns a client whose user has a contact-centre session for these channels, and for whom
// all is settled.
func started(t testing.TB, s *Server, user string, channels ...string) *client {
	t.Helper()
	c := loggedIn(t, s, user)
	c.start(channels...)
	time.Sleep(settle)
	return c
}

func (c *client) start(channels ...string) received {
	c.t.Helper()
	return c.must("POST", "/api/v2/me", `{"operationName":"StartContactCenterSession","channels":["`+strings.Join(channels, `","`)+`"]}`)
}

func basic(user, password string) []string {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(user, password)
	return []string{"Authorization", r.Header.Get("Authorization")}
}

func (c *client) request(ctx context.Context, method, path, body string, header ...string) *http.Request {
	c.t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json; charset=UTF-8")
	for name, values := range c.header {
		r.Header[name] = values
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func (c *client) try(ctx context.Context, method, path, body string, header ...string) (received, error) {
	c.t.Helper()
	response, err := c.http.Do(c.request(ctx, method, path, body, header...))
	if err != nil {
		return received{}, err
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	return received{response.StatusCode, response.Header, string(read)}, err
}

func (c *client) do(method, path, body string, header ...string) received {
	c.t.Helper()
	got, err := c.try(context.Background(), method, path, body, header...)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return got
}

// must is do for requests that are to succeed.
func (c *client) must(method, path, body string, header ...string) received {
	c.t.Helper()
	got := c.do(method, path, body, header...)
	if got.status != http.StatusOK {
		c.t.Fatalf("%s %s %s = %d %s; want success", method, path, body, got.status, got.body)
	}
	return got
}

// operate posts an operation that is to succeed.
func (c *client) operate(path, operation string) {
	c.t.Helper()
	got := c.do("POST", path, `{"operationName":"`+operation+`"}`)
	if got.status != http.StatusOK || got.body != `{"statusCode":0}` {
		c.t.Errorf("%s on %s = %d %s; want 200 {\"statusCode\":0}", operation, path, got.status, got.body)
	}
}

// states reads the agent's state as an application does: display names by channel, that of the
// device as "voice", and "" of a device without state.
func (c *client) states() map[string]string {
	c.t.Helper()
	var answer struct {
		User struct {
			Devices []struct {
				UserState struct{ DisplayName, State string }
			}
			Channels []struct {
				Channel   string
				UserState struct{ DisplayName, State string }
			}
		}
	}
	c.decode(c.must("GET", "/api/v2/me?subresources=devices,channels", ""), &answer)
	states := map[string]string{}
	for _, d := range answer.User.Devices {
		states["voice"] = cmp.Or(d.UserState.DisplayName, d.UserState.State)
	}
	for _, shown := range answer.User.Channels {
		states[shown.Channel] = shown.UserState.DisplayName
	}
	return states
}

func (c *client) decode(got received, v any) {
	c.t.Helper()
	err := json.Unmarshal([]byte(got.body), v)
	if err != nil {
		c.t.Fatalf("body %q: %v", got.body, err)
	}
}

// deviceID returns the id of the agent's first device.
func (c *client) deviceID() string {
	c.t.Helper()
	var answer struct{ Devices []struct{ ID string } }
	c.decode(c.must("GET", "/api/v2/me/devices?fields=id", ""), &answer)
	if len(answer.Devices) == 0 {
		c.t.Fatal("no device")
	}
	return answer.Devices[0].ID
}

// message is what comes from CometD: a reply or a notification.
type message struct {
	raw        string
	Channel    string          `json:"channel"`
	ID         string          `json:"id"`
	ClientID   string          `json:"clientId"`
	Successful bool            `json:"successful"`
	Error      string          `json:"error"`
	Data       json.RawMessage `json:"data"`
	Advice     struct {
		Reconnect string `json:"reconnect"`
		Timeout   int    `json:"timeout"`
	} `json:"advice"`
}

// speak posts CometD messages, given without id and clientId, in one batch.
func (c *client) speak(messages ...string) []message {
	c.t.Helper()
	got, err := c.trySpeak(context.Background(), messages...)
	if err != nil {
		c.t.Fatalf("CometD %s: %v", messages, err)
	}
	return got
}

func (c *client) trySpeak(ctx context.Context, messages ...string) ([]message, error) {
	c.t.Helper()
	for i := range messages {
		c.sent++
		head := `{"id":"` + strconv.Itoa(c.sent) + `",`
		if c.clientID != "" {
			head += `"clientId":"` + c.clientID + `",`
		}
		messages[i] = head + strings.TrimPrefix(messages[i], "{")
	}
	got, err := c.try(ctx, "POST", "/api/v2/notifications", "["+strings.Join(messages, ",")+"]")
	if err != nil {
		return nil, err
	}
	if got.status != http.StatusOK {
		c.t.Fatalf("CometD %s = %d %s", messages, got.status, got.body)
	}
	var raw []json.RawMessage
	c.decode(got, &raw)
	replies := make([]message, len(raw))
	for i := range raw {
		c.decode(received{body: string(raw[i])}, &replies[i])
		replies[i].raw = string(raw[i])
	}
	return replies, nil
}

const connectMessage = `{"channel":"/meta/connect","connectionType":"long-polling"}`

// listen shakes hands, subscribes and connects once.
func (c *client) listen(topics ...string) {
	c.t.Helper()
	c.clientID = ""
	shaken := c.speak(`{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["long-polling"]}`)
	if len(shaken) != 1 || !shaken[0].Successful {
		c.t.Fatalf("handshake = %+v; want success", shaken)
	}
	c.clientID = shaken[0].ClientID
	for _, topic := range topics {
		got := c.speak(`{"channel":"/meta/subscribe","subscription":"` + topic + `"}`)
		if !got[0].Successful {
			c.t.Fatalf("subscribe to %q = %+v; want success", topic, got[0])
		}
	}
	c.speak(connectMessage)
}

// connect holds one connect and returns the notifications that it brings.
func (c *client) connect() []message {
	c.t.Helper()
	var events []message
	for _, m := range c.speak(connectMessage) {
		if m.Data != nil {
			events = append(events, m)
			continue
		}
		if !m.Successful {
			c.t.Errorf("connect = %s; want success", m.raw)
		}
	}
	return events
}

// heard returns what has been told once all is settled, as "topic data".
func (c *client) heard() []string {
	c.t.Helper()
	time.Sleep(settle)
	told := []string{}
	for _, m := range c.speak(strings.Replace(connectMessage, "}", `,"advice":{"timeout":0}}`, 1)) {
		if m.Data != nil {
			told = append(told, m.Channel+" "+string(m.Data))
		}
	}
	return told
}
