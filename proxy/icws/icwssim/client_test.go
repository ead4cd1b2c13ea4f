package icwssim

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
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

// settle is longer than the delay of a status change.
const settle = 50 * time.Millisecond

// client is an ICWS client that knows the documented wire and nothing of this package.
type client struct {
	t      testing.TB
	http   *http.Client
	base   string
	header http.Header // sent with every request
	prefix string      // "/icws/29113001"
}

// received is what came back, read whole.
type received struct {
	status int
	header http.Header
	body   string
}

func stranger(t testing.TB, s *Server) *client {
	return &client{t: t, http: &http.Client{Transport: s.Transport()}, base: "http://ic1.example:8018", header: http.Header{}}
}

const loginBody = `{"__type":"urn:inin.com:connection:icAuthConnectionRequestSettings","applicationName":"test","userID":"USER","password":"PASSWORD"}`

// loggedIn returns a client with a session of the user, whose password is their name.
func loggedIn(t testing.TB, s *Server, user string, header ...string) *client {
	t.Helper()
	c := stranger(t, s)
	got := c.tryLogIn(user, user, header...)
	if got.status != http.StatusCreated {
		t.Fatalf("log-in of %q = %d %s; want 201", user, got.status, got.body)
	}
	c.adopt(got)
	return c
}

func (c *client) tryLogIn(user, password string, header ...string) received {
	c.t.Helper()
	body := strings.NewReplacer("USER", user, "PASSWORD", password).Replace(loginBody)
	return c.do("POST", "/icws/connection", body, append([]string{"Accept-Language", "en-us"}, header...)...)
}

// adopt takes the session of a 201 over, as the sloppiest clients do: the whole Set-Cookie line.
func (c *client) adopt(got received) {
	c.prefix = "/icws/" + got.header.Get("ININ-ICWS-Session-ID")
	c.header.Set("ININ-ICWS-CSRF-Token", got.header.Get("ININ-ICWS-CSRF-Token"))
	c.header.Set("Cookie", got.header.Get("Set-Cookie"))
}

func (c *client) request(ctx context.Context, method, path, body string, header ...string) *http.Request {
	c.t.Helper()
	if !strings.HasPrefix(path, "/icws/") && !strings.HasPrefix(path, "/_sim") && !strings.HasPrefix(path, "/x/") {
		path = c.prefix + path
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	for name, values := range c.header {
		r.Header[name] = values
	}
	for i := 0; i < len(header); i += 2 {
		if header[i+1] == "" {
			r.Header.Del(header[i])
			continue
		}
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func (c *client) try(method, path, body string, header ...string) (received, error) {
	c.t.Helper()
	response, err := c.http.Do(c.request(context.Background(), method, path, body, header...))
	if err != nil {
		return received{}, err
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	return received{response.StatusCode, response.Header, string(read)}, err
}

func (c *client) do(method, path, body string, header ...string) received {
	c.t.Helper()
	got, err := c.try(method, path, body, header...)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return got
}

// must is do for requests that are to succeed.
func (c *client) must(method, path, body string) received {
	c.t.Helper()
	got := c.do(method, path, body)
	if got.status >= 300 {
		c.t.Fatalf("%s %s %s = %d %s; want success", method, path, body, got.status, got.body)
	}
	return got
}

// json returns the body as a JSON object.
func (a received) json(t testing.TB) map[string]any {
	t.Helper()
	var object map[string]any
	err := json.Unmarshal([]byte(a.body), &object)
	if err != nil {
		t.Fatalf("body %q: %v", a.body, err)
	}
	return object
}

// poll reads the queue and returns the messages as they stand on the wire.
func (c *client) poll() []string {
	c.t.Helper()
	got := c.do("GET", "/messaging/messages", "", "ININ-ICWS-CSRF-Token", "")
	var raw []json.RawMessage
	err := json.Unmarshal([]byte(got.body), &raw)
	if err != nil || got.status != http.StatusOK {
		c.t.Fatalf("poll = %d %s", got.status, got.body)
	}
	messages := []string{}
	for _, message := range raw {
		messages = append(messages, string(message))
	}
	return messages
}

func (c *client) status(user string) map[string]any {
	c.t.Helper()
	return c.must("GET", "/status/user-statuses/"+user, "").json(c.t)
}

// events is an open stream.
type events struct {
	t     testing.TB
	lines *bufio.Scanner
	body  io.Closer
}

// listen opens a stream that ends with the test.
func (c *client) listen() *events {
	c.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c.t.Cleanup(cancel)
	response, err := c.http.Do(c.request(ctx, "GET", "/messaging/messages", "", "Accept", "text/event-stream", "ININ-ICWS-CSRF-Token", ""))
	if err != nil {
		c.t.Fatalf("open the stream: %v", err)
	}
	c.t.Cleanup(func() { response.Body.Close() })
	if got := response.Header.Get("Content-Type"); got != "text/event-stream" {
		c.t.Fatalf("content type of a stream = %q; want text/event-stream", got)
	}
	return &events{c.t, bufio.NewScanner(response.Body), response.Body} // lines up to 64 KiB
}

// next returns the next message, ":ping", or "end" when the stream is over and whole.
func (e *events) next() string {
	e.t.Helper()
	for e.lines.Scan() {
		line := e.lines.Text()
		if message, isData := strings.CutPrefix(line, "data: "); isData {
			e.lines.Scan()
			if e.lines.Text() != "" {
				e.t.Errorf("after a message comes %q; want an empty line", e.lines.Text())
			}
			return message
		}
		if line != "" {
			return line
		}
	}
	if e.lines.Err() != nil {
		return "broken: " + e.lines.Err().Error()
	}
	return "end"
}

// message is next without pings.
func (e *events) message() string {
	for {
		got := e.next()
		if got != ":ping" {
			return got
		}
	}
}
