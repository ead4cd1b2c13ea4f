package proxy

import (
	"bytes"
	"fmt"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// allocations is how often each hot path allocates for one request or event, with all that it sets off.
// More is garbage that thousands of agents make, and fewer is a gain to be kept: both fail the test, which
// then prints the table as it should be. To print it at any time:
//
//	go test ./proxy -run '^TestAllocations$' -v
//
// Calls of the site include the few allocations of the stand-in for it. What is quick includes no net/http, and held
// polls do not, nor what answers them.
var allocations = map[string]int{
	"catalogue":              15,
	"catalogue, quick":       2, // before net/http reads it
	"catalogue, gzip":        15,
	"catalogue, gzip, quick": 3,
	"catalogue, 304":         12,
	"catalogue, 304, quick":  2,
	"GET /me":                33, // of a form that was asked for before
	"GET /me, quick":         2,
	"POST /me":               69,
	"POST /me, quick":        74,   // before net/http handles it
	"log-in":                 1400, // catalogue, event stream, subscriptions and what they bring
	"event of the site":      6,    // nobody listens
	"held poll":              17,
	"push of one event":      24, // from the site's stream to the answer of a held poll
}

// TestAllocations counts exactly: nothing else runs, nothing is collected, and the median leaves out the
// few requests at which something grows.
func TestAllocations(t *testing.T) {
	if raced {
		t.Skip("the race detector allocates along; `make test` counts without it")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	synctest.Test(t, func(t *testing.T) {
		c := newCounted(t)
		got := map[string]int{}
		c.reads(got)
		c.writes(got)
		c.polls(got)
		c.logins(got)
		if !maps.Equal(got, allocations) {
			t.Error("the hot paths allocate otherwise than the table says: look at what changed, then renew it")
		}
		if t.Failed() || testing.Verbose() {
			t.Log("\n" + tableOf(got))
		}
	})
}

// tableOf returns the lines of the table, those that differ marked.
func tableOf(got map[string]int) string {
	var lines strings.Builder
	for _, name := range slices.Sorted(maps.Keys(got)) {
		fmt.Fprintf(&lines, "\t%q: %d,", name, got[name])
		if want, known := allocations[name]; !known || want != got[name] {
			fmt.Fprintf(&lines, " // the table says %d", want)
		}
		lines.WriteString("\n")
	}
	return lines.String()
}

// held is longer than a connect is held, and shorter than a stream may be silent.
const held = 31 * time.Second

func nothing() {}

// reads counts what needs no site.
func (c *counted) reads(got map[string]int) {
	const path = "/me/status-messages"
	etag := c.with(c.cookie).get(path).header.Get("Etag")
	got["catalogue"] = c.count(nothing, c.asks("GET", path, "", 200))[0]
	got["catalogue, gzip"] = c.count(nothing, c.asks("GET", path, "", 200, "Accept-Encoding", "gzip"))[0]
	got["catalogue, 304"] = c.count(nothing, c.asks("GET", path, "", 304, "If-None-Match", etag))[0]
	got["GET /me"] = c.count(nothing, c.asks("GET", "/api/v2/me?subresources=devices,channels", "", 200))[0]
	wire := c.door.dial()
	defer wire.Close()
	dateLast := []byte("GMT\r\n\r\n")
	asks := func(path, answer string, headers ...string) func() {
		want := []byte(answer)
		send := c.sends(wire, path, headers...)
		send() // by net/http: the connection is new, or the form is not kept yet
		send()
		return func() {
			send()
			if !bytes.HasPrefix(wire.taken, want) || bytes.Contains(wire.taken, dateLast) { // as net/http has it
				c.t.Fatalf("%s is answered %.400q before net/http; want %s", path, wire.taken, answer)
			}
		}
	}
	got["catalogue, quick"] = c.count(nothing, asks(path, "HTTP/1.1 200"))[0]
	got["catalogue, gzip, quick"] = c.count(nothing, asks(path, "HTTP/1.1 200", "Accept-Encoding: gzip\r\n"))[0]
	got["catalogue, 304, quick"] = c.count(nothing, asks(path, "HTTP/1.1 304", "If-None-Match: "+etag+"\r\n"))[0]
	got["GET /me, quick"] = c.count(nothing, asks("/api/v2/me?subresources=devices,channels", "HTTP/1.1 200"))[0]
}

// sends returns what sends a GET with anna's cookie on a connection, and waits until it is answered.
func (c *counted) sends(wire *pipe, path string, headers ...string) func() {
	request := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: portico.example\r\nCookie: JSESSIONID=%s\r\n%s\r\n", path, c.cookie, strings.Join(headers, ""))
	return func() {
		_, err := wire.Write(request)
		if err != nil {
			c.t.Fatal(err)
		}
		synctest.Wait()
	}
}

// writes counts a change of state at the site, and the event that tells of one.
func (c *counted) writes(got map[string]int) {
	post := func(operation string) func() {
		ask := c.asks("POST", "/api/v2/me", fmt.Sprintf(`{"operationName":%q}`, operation), 200, "Origin", "https://agents.example")
		return func() {
			c.site.does(operation)
			ask()
		}
	}
	ready, notReady := post("Ready"), post("NotReady")
	ready() // activates workgroups, and for a while after that they are read before each change
	c.hears("Ready")
	time.Sleep(held)
	got["POST /me, quick"] = c.countQuickWrite()
	before := c.site.given()
	got["POST /me"] = c.count(func() {
		notReady()
		c.hears("NotReady")
	}, ready, func() { c.hears("Ready") })[0]
	if n := c.site.given() - before; n != 2*samples {
		c.t.Errorf("%d changes of state led to %d calls of the site; want one each", 2*samples, n)
	}
	got["event of the site"] = c.count(func() { c.hears("At Play") }, func() { c.hears("At Lunch") })[0]
	c.site.does("")
	if shown := c.with(c.cookie).get("/me/channels/voice").body; !strings.Contains(shown, "At Lunch") {
		c.t.Errorf("the events led to %s; want lunch", shown)
	}
}

// countQuickWrite counts the same change on a connection, before net/http.
func (c *counted) countQuickWrite() int {
	wire := c.door.dial()
	defer wire.Close()
	post := func(operation string) func() {
		content := fmt.Sprintf(`{"operationName":%q}`, operation)
		request := fmt.Appendf(nil, "POST /api/v2/me HTTP/1.1\r\nHost: portico.example\r\nCookie: JSESSIONID=%s\r\nOrigin: https://agents.example\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			c.cookie, len(content), content)
		return func() {
			c.site.does(operation)
			_, err := wire.Write(request)
			if err != nil {
				c.t.Fatal(err)
			}
			synctest.Wait()
			if !bytes.HasPrefix(wire.taken, []byte("HTTP/1.1 200")) {
				c.t.Fatalf("%s is answered %.400q", operation, wire.taken)
			}
		}
	}
	ready, notReady := post("Ready"), post("NotReady")
	ready() // by net/http: the connection is new
	return c.count(func() {
		notReady()
		c.hears("NotReady")
	}, ready, func() { c.hears("Ready") })[0]
}

// hears brings the events of something that happened at the site, and waits until they have done their work.
func (c *counted) hears(what string) {
	c.site.tell(c.events[what])
	synctest.Wait()
}

// polls counts held connects, and events that answer them.
func (c *counted) polls(got map[string]int) {
	anna := c.with(c.cookie)
	id := anna.shake(notificationsPath)
	anna.tell(id, "/meta/subscribe", `,"subscription":"/v2/me/*"`)
	anna.tell(id, "/meta/connect", `,"connectionType":"long-polling","advice":{"timeout":0}`)
	wire := c.door.dial()
	defer wire.Close()
	poll := c.poll(wire, id)
	statuses := []string{"At Lunch", "At Play"} // the agent is at lunch
	answers := 0
	hold := func() { answers = wire.answers; poll() }
	tell := func() {
		if wire.answers != answers {
			c.t.Fatalf("a poll that was to be held was answered %q", wire.taken)
		}
		c.hears(statuses[0])
	}
	counts := c.count(func() { slices.Reverse(statuses) }, hold, tell)
	got["held poll"], got["push of one event"] = counts[0], counts[1]
	if !strings.Contains(string(wire.taken), `"reason":"`+statuses[0]+`"`) {
		c.t.Errorf("the last poll was answered %q; want %s", wire.taken, statuses[0])
	}
	if n := c.world.polls.Load(); n != samples-1 {
		c.t.Errorf("%d polls were answered before net/http; want all but the first", n)
	}
}

// poll returns what sends a connect, and waits until it is held or answered.
func (c *counted) poll(wire *pipe, client string) func() {
	message := fmt.Sprintf(`[{"id":"3","channel":"/meta/connect","connectionType":"long-polling","clientId":%q}]`, client)
	request := fmt.Appendf(nil, "POST %s/connect HTTP/1.1\r\nHost: portico.example\r\nCookie: JSESSIONID=%s\r\nOrigin: https://agents.example\r\nContent-Type: application/json;charset=UTF-8\r\nContent-Length: %d\r\n\r\n%s",
		notificationsPath, c.cookie, len(message), message)
	return func() {
		_, err := wire.Write(request)
		if err != nil {
			c.t.Fatal(err)
		}
		synctest.Wait()
	}
}

// logins counts a log-in with all that it sets off: the event stream and its subscriptions too.
func (c *counted) logins(got map[string]int) {
	c.cookie = ""
	logIn := c.asks("GET", "/api/v2/me", "", 200, "Authorization", basicAuth("anna", "anna"))
	got["log-in"] = c.count(func() { c.logOut(c.as("anna")) }, logIn)[0]
}
