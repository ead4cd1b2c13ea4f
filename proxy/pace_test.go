package proxy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// piped is a listener whose connections are pipes, which know deadlines and take no real time.
type piped struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p *piped) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}
func (p *piped) Close() error   { close(p.done); return nil }
func (p *piped) Addr() net.Addr { return &net.TCPAddr{} }

// paced serves h at a pace of 30 s each and returns what dials it.
func paced(t *testing.T, h http.HandlerFunc) func() net.Conn {
	listener := &piped{make(chan net.Conn), make(chan struct{})}
	server := &http.Server{Handler: pace{30 * time.Second, 30 * time.Second}.kept(h), Protocols: &http.Protocols{}}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return func() net.Conn {
		ours, theirs := net.Pipe()
		listener.conns <- theirs
		t.Cleanup(func() { _ = ours.Close() })
		return ours
	}
}

func send(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	_, err := io.WriteString(conn, text)
	if err != nil {
		t.Fatal(err)
	}
}

// status reads an answer and returns its status and body.
func status(t *testing.T, from *bufio.Reader) (int, string) {
	t.Helper()
	res, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// readAll answers how long the body took and why it ended.
func readAll(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	n, err := io.Copy(io.Discard, r.Body)
	_, _ = fmt.Fprintf(w, "%d bytes in %v, slow %v", n, time.Since(began), errors.Is(err, os.ErrDeadlineExceeded))
}

func TestSlowBodies(t *testing.T) {
	for _, test := range []struct {
		name  string
		parts int
		bytes int
		every time.Duration
		want  string
	}{
		{"nothing of it", 0, 0, 0, "0 bytes in 30s, slow true"},
		{"a byte every ten seconds", 10, 1, 10 * time.Second, "3 bytes in 30.002929686s, slow true"},
		{"a long one at a pace", 600, 2 << 10, time.Second, "1228800 bytes in 10m0s, slow false"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn := paced(t, readAll)()
				sent := make(chan struct{})
				go func() {
					defer close(sent)
					length := max(1, test.parts*test.bytes)
					_, _ = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", length)
					for range test.parts {
						time.Sleep(test.every)
						_, err := conn.Write(make([]byte, test.bytes))
						if err != nil {
							return
						}
					}
				}()
				_, got := status(t, bufio.NewReader(conn))
				if got != test.want {
					t.Errorf("got %q; want %q", got, test.want)
				}
				_ = conn.Close()
				<-sent
			})
		})
	}
}

// What a handler does with a body is not the caller's slowness.
func TestTimeOfTheHandlerDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := paced(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadFull(r.Body, make([]byte, 4))
			time.Sleep(time.Hour)
			readAll(w, r)
		})()
		go func() { _, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nfourfour") }()
		_, got := status(t, bufio.NewReader(conn))
		if got != "4 bytes in 0s, slow false" {
			t.Error(got)
		}
	})
}

// A poll may be held for longer than any pace, before and after others on its connection, and a caller
// that leaves is noticed all the same.
func TestHeldPollsAreSpared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := make(chan bool, 3)
		conn := paced(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			select {
			case <-time.After(10 * time.Minute):
				left <- false
			case <-r.Context().Done():
				left <- true
			}
		})()
		answers := bufio.NewReader(conn)
		for range 2 {
			send(t, conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]")
			code, _ := status(t, answers)
			if code != 200 || <-left {
				t.Error("a held poll was ended")
			}
			time.Sleep(time.Minute)
		}
		send(t, conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]")
		time.Sleep(time.Second)
		_ = conn.Close()
		if !<-left {
			t.Error("nobody noticed that the caller left")
		}
	})
}

// A body that no handler reads holds the connection no longer than a moment.
func TestUnreadBodies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := paced(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })()
		began := time.Now()
		send(t, conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
		all, _ := io.ReadAll(conn) // until the server closes
		if !strings.HasPrefix(string(all), "HTTP/1.1 403") || time.Since(began) > 5*time.Second {
			t.Errorf("after %v: %q", time.Since(began), all)
		}
	})
}

func TestSlowReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan time.Duration, 2)
		dial := paced(t, func(w http.ResponseWriter, _ *http.Request) {
			began := time.Now()
			_, _ = w.Write(make([]byte, 1<<20))
			ended <- time.Since(began)
		})
		const request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
		send(t, dial(), request) // and reads nothing
		if took := <-ended; took != 30*time.Second {
			t.Errorf("one who reads nothing was waited for %v; want 30 s", took)
		}
		slow := dial()
		send(t, slow, request)
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			piece := make([]byte, 2<<10)
			for {
				_, err := slow.Read(piece)
				if err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}()
		if took := <-ended; took < 5*time.Minute {
			t.Errorf("one who reads at 2 KiB/s was given up after %v", took)
		}
		_ = slow.Close()
		<-gone
	})
}

// An event stream may be silent for as long as it likes between its events.
func TestEventStreamsAreSpared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := paced(t, func(w http.ResponseWriter, _ *http.Request) {
			for range 3 {
				_, _ = io.WriteString(w, "data: x\n\n")
				w.(http.Flusher).Flush()
				time.Sleep(10 * time.Minute)
			}
		})()
		send(t, conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		code, body := status(t, bufio.NewReader(conn))
		if code != 200 || strings.Count(body, "data: x") != 3 {
			t.Errorf("%d %q", code, body)
		}
	})
}

// Who takes a connection over is bound by no pace.
func TestSocketsAreSpared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := paced(t, func(w http.ResponseWriter, _ *http.Request) {
			taken, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			go func() {
				time.Sleep(time.Hour)
				_, _ = taken.Write([]byte("later"))
				_ = taken.Close()
			}()
		})()
		send(t, conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		got, _ := io.ReadAll(conn)
		if string(got) != "later" {
			t.Errorf("%q", got)
		}
	})
}

// Over HTTP/2 a deadline that passes ends a stream though nobody waits for anything.
func TestStreamsOfHTTP2(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outcome := make(chan string, 1)
		dial := paced(t, func(w http.ResponseWriter, r *http.Request) {
			began := time.Now()
			switch r.URL.Path {
			case "/events":
				for range 3 {
					_, _ = io.WriteString(w, "data: x\n\n")
					w.(http.Flusher).Flush()
					time.Sleep(10 * time.Minute)
				}
			case "/upload":
				_, _ = io.ReadFull(r.Body, make([]byte, 4))
				time.Sleep(10 * time.Minute)
				_, err := io.Copy(io.Discard, r.Body)
				outcome <- fmt.Sprintf("%v after %v", errors.Is(err, os.ErrDeadlineExceeded), time.Since(began))
			case "/download":
				var err error
				for err == nil {
					_, err = w.Write(make([]byte, 1<<20))
				}
				outcome <- fmt.Sprintf("after %v", time.Since(began))
			}
		})
		transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return dial(), nil }, Protocols: &http.Protocols{}}
		transport.Protocols.SetUnencryptedHTTP2(true)
		defer transport.CloseIdleConnections()
		do := func(path string, body io.Reader) *http.Response {
			t.Helper()
			request, err := http.NewRequest(http.MethodPost, "http://x"+path, body)
			if err != nil {
				t.Fatal(err)
			}
			res, err := transport.RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			return res
		}
		events := do("/events", nil)
		text, err := io.ReadAll(events.Body)
		if err != nil || events.ProtoMajor != 2 || strings.Count(string(text), "data: x") != 3 {
			t.Errorf("events over %s: %q, %v", events.Proto, text, err)
		}
		feed, body := io.Pipe()
		go func() {
			_, _ = body.Write([]byte("four"))
			time.Sleep(11 * time.Minute) // the rest of the handler's pause, and twice what is waited for
			_ = body.Close()
		}()
		_ = do("/upload", feed).Body.Close()
		if got := <-outcome; got != "true after 10m30s" {
			t.Errorf("a body that stops: slow %s; want true after 10m30s", got)
		}
		download := do("/download", nil) // and nothing is read
		if got := <-outcome; got != "after 30s" {
			t.Errorf("one who reads nothing was waited for %s; want 30 s", got)
		}
		_ = download.Body.Close()
		time.Sleep(time.Hour)
	})
}
