package proxy

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// An endingSite answers what is passed through in some way, and says when that began and when it was cut.
type endingSite struct {
	came, left chan struct{}
	next       chan struct{} // goes on when it is closed
}

func newEnding(t *testing.T, answer func(*endingSite, http.ResponseWriter, *http.Request)) (*caller, *endingSite) {
	t.Helper()
	site := &endingSite{make(chan struct{}), make(chan struct{}), make(chan struct{})}
	w, _ := newTapped(t, func(w http.ResponseWriter, r *http.Request) { answer(site, w, r) }, func(k *knobs) { k.allows, k.timeout = true, time.Minute })
	w.client.Timeout = 20 * time.Second // for what does not end
	return w.with(cookieOf(w.as("bjorn").get("/api/v2/me"))), site
}

// begin writes the first piece of an answer.
func (e *endingSite) begin(w http.ResponseWriter, kind string) {
	w.Header().Set("Content-Type", kind)
	_, _ = io.WriteString(w, "first")
	_ = http.NewResponseController(w).Flush()
}

// waits returns when the caller's request was cut.
func (e *endingSite) waits(ctx context.Context) {
	<-ctx.Done()
	close(e.left)
}

// end ends the session, and returns when it did.
func (c *caller) end() time.Time {
	c.t.Helper()
	c.post("/api/v2/me", `{"operationName":"EndContactCenterSession"}`).is(c.t, "End", 200, `{"statusCode":0}`)
	return time.Now()
}

// promptly is how long at most what ends at once takes, and graceful how long at least what has some grace.
const (
	promptly = 3 * time.Second
	graceful = 4500 * time.Millisecond
)

// isCut holds a body to be cut after some time, and the site to be told.
func (e *endingSite) isCut(t *testing.T, body io.Reader, ended time.Time, least, most time.Duration) {
	t.Helper()
	_, err := io.Copy(io.Discard, body)
	took := time.Since(ended)
	if err == nil || took < least || took > most {
		t.Errorf("the answer ended %v after the session: %v; want it cut off between %v and %v", took, err, least, most)
	}
	select {
	case <-e.left:
	case <-time.After(soon):
		t.Error("the site was not told")
	}
}

func readNext(t *testing.T, from io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	_, err := io.ReadFull(from, got)
	if err != nil || string(got) != want {
		t.Fatalf("read %q (%v); want %q", got, err, want)
	}
}

// TestWhatIsPassedThroughEndsWithTheSession ends a session under a request of it.
func TestWhatIsPassedThroughEndsWithTheSession(t *testing.T) {
	t.Run("a stream of events", func(t *testing.T) {
		t.Parallel()
		bjorn, site := newEnding(t, func(e *endingSite, w http.ResponseWriter, r *http.Request) {
			e.begin(w, "text/event-stream;charset=UTF-8")
			e.waits(r.Context())
		})
		response := bjorn.must("GET", "/api/v2/tap", nil)
		readNext(t, response.Body, "first")
		site.isCut(t, response.Body, bjorn.end(), 0, promptly)
	})
	t.Run("another protocol", func(t *testing.T) {
		t.Parallel()
		bjorn, site := newEnding(t, func(e *endingSite, w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				panic(err)
			}
			defer close(e.left)
			defer conn.Close()
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst")
			_, _ = io.Copy(io.Discard, conn)
		})
		conn, err := net.Dial("tcp", strings.TrimPrefix(bjorn.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(bjorn.client.Timeout))
		fmt.Fprintf(conn, "GET /api/v2/tap HTTP/1.1\r\nHost: x\r\nCookie: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", bjorn.headers[1])
		in := bufio.NewReader(conn)
		response, err := http.ReadResponse(in, nil)
		if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
			t.Fatalf("an upgrade = %v (%v)", response, err)
		}
		readNext(t, in, "first")
		ended := bjorn.end()
		_, _ = io.Copy(io.Discard, in)
		if took := time.Since(ended); took > promptly {
			t.Errorf("the connection was closed %v after the end", took)
		}
		<-site.left
	})
	t.Run("a download", func(t *testing.T) {
		t.Parallel()
		bjorn, site := newEnding(t, func(e *endingSite, w http.ResponseWriter, r *http.Request) {
			e.begin(w, "application/octet-stream")
			<-e.next
			_, _ = io.WriteString(w, "second")
			_ = http.NewResponseController(w).Flush()
			e.waits(r.Context())
		})
		response := bjorn.must("GET", "/api/v2/tap", nil)
		readNext(t, response.Body, "first")
		ended := bjorn.end()
		close(site.next)
		readNext(t, response.Body, "second")
		site.isCut(t, response.Body, ended, graceful, graceful+soon)
	})
	t.Run("an upload", func(t *testing.T) {
		t.Parallel()
		bjorn, _ := newEnding(t, func(e *endingSite, w http.ResponseWriter, r *http.Request) {
			close(e.came)
			body, err := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %v", body, err)
		})
		reader, writer := io.Pipe()
		go func() {
			_, _ = io.WriteString(writer, "half")
			bjorn.end()
			_, _ = io.WriteString(writer, " whole")
			_ = writer.Close()
		}()
		response := bjorn.must("POST", "/api/v2/tap", reader)
		readNext(t, response.Body, "half whole <nil>")
	})
	t.Run("an upload that does not go on", func(t *testing.T) {
		t.Parallel()
		bjorn, site := newEnding(t, func(e *endingSite, _ http.ResponseWriter, r *http.Request) {
			defer close(e.left)
			close(e.came)
			_, _ = io.Copy(io.Discard, r.Body)
		})
		reader, writer := io.Pipe()
		go func() {
			_, _ = io.WriteString(writer, "half")
			<-site.came
			bjorn.end()
			<-site.left
			_, _ = io.WriteString(writer, " whole") // the caller is waited for as ever
			_ = writer.Close()
		}()
		response := bjorn.must("POST", "/api/v2/tap", reader)
		body, _ := io.ReadAll(response.Body)
		answer{response.StatusCode, response.Header, string(body)}.is(t, "the upload", 403, deniedB)
	})
	t.Run("a request without an answer", func(t *testing.T) {
		t.Parallel()
		bjorn, site := newEnding(t, func(e *endingSite, _ http.ResponseWriter, r *http.Request) {
			close(e.came)
			e.waits(r.Context())
		})
		go func() {
			<-site.came
			bjorn.end()
		}()
		bjorn.get("/api/v2/tap").is(t, "the request", 403, deniedB)
		<-site.left
	})
}
