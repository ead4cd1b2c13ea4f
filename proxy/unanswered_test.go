package proxy

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"portico/proxy/icws/icwssim"
)

const (
	pathMessages = "/icws/1/messaging/messages"
	busySite     = `{"errorId":"error.server.unavailable","message":"busy"}`
)

// TestAnEventSourceTriesAgain has a stream be opened that Portico has no answer of the site for. An EventSource that
// is answered anything but 200 never opens its stream again.
func TestAnEventSourceTriesAgain(t *testing.T) {
	breaks := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	waits := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for name, test := range map[string]struct {
		site  http.HandlerFunc
		door  func(*knobs)
		code  float64
		class string
	}{
		"the site breaks off":       {breaks, nil, 503, "unreachable"},
		"the site does not answer":  {waits, func(k *knobs) { k.timeout = 200 * time.Millisecond }, 504, "timeout"},
		"what answers is no server": {nonsense, nil, 503, "unreachable"},
		"so many are worked on":     {breaks, func(k *knobs) { k.door.Places = NewPlaces(0, nil) }, 503, "overloaded"},
	} {
		for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
			_, host := behind(t, map[string]http.Handler{"ic1.example": test.site}, "http://ic1.example:8018")
			w := newDoor(t, func(k *knobs) {
				if test.door != nil {
					test.door(k)
				}
				host(k)
			})
			if version == "HTTP/2.0" {
				w.overHTTP2()
			}
			request, err := http.NewRequest("GET", w.url+pathMessages, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Accept", "text/event-stream")
			response, err := w.client.Do(request)
			if err == nil {
				_ = response.Body.Close()
				t.Errorf("%s, over %s: it is answered %s; want no answer", name, version, response.Status)
			}
			w.isLogged(t, name, test.code, test.class, "")
			eventually(t, "it is counted", func() bool {
				return counts(t, w.reg, "portico_http_requests_total")[fmt.Sprintf("icws %.0f GET passthrough", test.code)] == 1
			})
			if got := w.do("GET", pathMessages, ""); float64(got.status) != test.code {
				t.Errorf("%s: a poll is answered %d %s; want %v", name, got.status, got.body, test.code)
			}
		}
	}
}

// nonsense answers what is no HTTP.
func nonsense(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(conn, "220 mail.example\r\n\r\n")
	_ = conn.Close()
}

// What the site answers an EventSource it is answered, and what Portico has against the request itself.
func TestAnEventSourceIsAnswered(t *testing.T) {
	_, host := behind(t, map[string]http.Handler{"ic1.example": says(503, busySite)}, "http://ic1.example:8018")
	w := newDoor(t, host)
	stream := []string{"Accept", "text/event-stream"}
	w.do("GET", pathMessages, "", stream...).is(t, "a site that is busy", 503, busySite)
	if got := w.do("GET", "/icws/1/../messaging/messages", "", stream...); got.status != 404 {
		t.Errorf("a path that climbs = %d %s; want 404", got.status, got.body)
	}
	if got := w.do("GET", pathMessages+"?"+strings.Repeat("x", 9<<10), "", stream...); got.status < 400 || got.status >= 500 {
		t.Errorf("a URL that is too long = %d %s; want 4xx", got.status, got.body)
	}
	newDoor(t).do("GET", pathMessages, "", stream...).is(t, "no site for ICWS", 404, noNative)
}

// TestWhoHasLeftIsNotAnswered has callers close their half of the connection, as those do who leave: amid a call, and amid
// their body.
func TestWhoHasLeftIsNotAnswered(t *testing.T) {
	w := newDoor(t, openToNative)
	anna := w.opens("anna")
	proof := "Host: x\nCookie: " + anna.icwsCookie() + "\nININ-ICWS-CSRF-Token: " + anna.token + "\nContent-Type: application/json\nContent-Length: %d\n\n%s"
	const lunch = `{"statusId":"At Lunch"}`
	status := "PUT /icws/" + anna.session + "/status/user-statuses/anna HTTP/1.1\n"
	login := `{"__type":"urn:inin.com:connection:icAuthConnectionRequestSettings","applicationName":"Own","userID":"cleo","password":"cleo"}`
	for name, request := range map[string]string{
		"a change of ICWS":              status + fmt.Sprintf(proof, len(lunch), lunch),
		"a change of ICWS, cut short":   status + fmt.Sprintf(proof, 100, lunch),
		"a read of /me":                 "GET /me/channels/voice HTTP/1.1\nHost: x\nAuthorization: " + basicAuth("cleo", "cleo") + "\n\n",
		"a log-in of ICWS":              fmt.Sprintf("POST /icws/connection HTTP/1.1\nHost: x\nAccept-Language: en\nContent-Length: %d\n\n%s", len(login), login),
		"a log-in of ICWS, cut short":   fmt.Sprintf("POST /icws/connection HTTP/1.1\nHost: x\nAccept-Language: en\nContent-Length: 1000\n\n%s", login),
		"a read that the site is asked": "GET /icws/connection/server-info HTTP/1.1\nHost: x\nAccept-Language: en\n\n",
	} {
		w.over(t)
		before := len(records(t, w.log.String()))
		err := w.sim.Fault(icwssim.Fault{Delay: 300 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		if got := w.halfClosed(request); got != "" {
			t.Errorf("%s is answered %q; want nothing", name, got)
		}
		eventually(t, "the request is logged", func() bool { return len(records(t, w.log.String())) > before })
		if record := records(t, w.log.String())[before]; record["code"] != float64(codeClientGone) || record["error_class"] != nil {
			t.Errorf("%s is logged as %v; want the code %d, and no class", name, record, codeClientGone)
		}
		w.sim.Reset()
	}
}

// halfClosed sends a request as it is written here, and nothing after it, and returns all that comes back.
func (w *world) halfClosed(request string) string {
	w.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close()
	head, body, _ := strings.Cut(request, "\n\n")
	_, err = io.WriteString(conn, strings.ReplaceAll(head, "\n", "\r\n")+"\r\n\r\n"+body)
	if err == nil {
		err = conn.(*net.TCPConn).CloseWrite()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	got, err := io.ReadAll(conn)
	if err != nil {
		w.t.Errorf("the connection is not closed: %v", err)
	}
	return string(got)
}
