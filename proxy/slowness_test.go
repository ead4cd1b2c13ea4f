package proxy

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"portico/proxy/fault"
)

// A slowDoor has one route, for callers who take their time.
type slowDoor struct {
	*gin.Engine
	log *logged
	reg *prometheus.Registry
}

func newSlowDoor(h handler) *slowDoor {
	d := &slowDoor{gin.New(), &logged{}, prometheus.NewRegistry()}
	door := build(Settings{Logger: slog.New(slog.NewJSONHandler(d.log, nil)), Metrics: NewMetrics(d.reg)})
	d.Any("/x", door.handle(h, "", opMe, door.metrics.endpoint(apiMe, "/x", "POST")))
	return d
}

// expect compares the one request that was counted and logged.
func (d *slowDoor) expect(t *testing.T, code int, seconds float64) {
	t.Helper()
	record := records(t, d.log.String())[0]
	if record["code"] != float64(code) || record["duration_s"] != seconds {
		t.Errorf("logged are %v and %v s (%v); want %d and %v", record["code"], record["duration_s"], record["error"], code, seconds)
	}
	families, err := d.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != "portico_http_request_duration_seconds" {
			continue
		}
		if got := family.GetMetric()[0].GetHistogram(); got.GetSampleCount() != 1 || got.GetSampleSum() != seconds {
			t.Errorf("counted are %d requests of %v s; want 1 of %v", got.GetSampleCount(), got.GetSampleSum(), seconds)
		}
	}
}

const uploads = "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 27\r\n\r\n"

// works reads the body, works for two seconds, and answers with more than a connection holds.
func works(c *call) (any, error) {
	_, err := c.decode()
	if err != nil {
		return nil, err
	}
	time.Sleep(2 * time.Second)
	return raw{status: http.StatusOK, body: make([]byte, 1<<20)}, nil
}

func TestSlownessOfCallersIsNoTimeOfOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSlowDoor(works)
		conn := paced(t, d.ServeHTTP)()
		send(t, conn, uploads)
		time.Sleep(20 * time.Second)
		send(t, conn, `{"operationName": "Ready"}`)
		time.Sleep(time.Second)
		send(t, conn, ` `)
		time.Sleep(12 * time.Second)
		code, body := status(t, bufio.NewReader(conn))
		if code != 200 || len(body) != 1<<20 {
			t.Errorf("%d with %d bytes", code, len(body))
		}
		synctest.Wait()
		d.expect(t, 200, 2)
	})
}

// An answer that goes on for a minute began after a second.
func TestPassingThroughIsTimedToTheHead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := roundTrip(func(r *http.Request) (*http.Response, error) {
			_, err := io.Copy(io.Discard, r.Body)
			if err != nil {
				return nil, err
			}
			time.Sleep(time.Second)
			out, in := io.Pipe()
			go func() {
				for range 6 {
					_, _ = io.WriteString(in, "ten seconds ")
					time.Sleep(10 * time.Second)
				}
				_ = in.Close()
			}()
			return &http.Response{StatusCode: 200, Header: http.Header{}, ContentLength: -1, Body: out, Request: r}, nil
		})
		d := newSlowDoor(func(c *call) (any, error) {
			return c.pass(passing{RoundTripper: site, answered: func(*http.Response) {}})
		})
		conn := paced(t, d.ServeHTTP)()
		send(t, conn, uploads)
		time.Sleep(20 * time.Second)
		send(t, conn, strings.Repeat("x", 27))
		code, body := status(t, bufio.NewReader(conn))
		if code != 200 || !strings.HasSuffix(body, "ten seconds ") {
			t.Errorf("%d %q", code, body)
		}
		synctest.Wait()
		d.expect(t, 200, 1)
	})
}

// A roundTrip is an http.RoundTripper.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A body that is given up ends the request's context, as a caller does who leaves.
func TestWhoSendsTooSlowlyHasNotLeft(t *testing.T) {
	for name, h := range map[string]handler{"decoded": works, "passed through": func(c *call) (any, error) {
		return c.pass(passing{RoundTripper: roundTrip(func(r *http.Request) (*http.Response, error) {
			_, err := io.Copy(io.Discard, r.Body)
			return nil, err
		})})
	}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newSlowDoor(h)
				conn := paced(t, d.ServeHTTP)()
				send(t, conn, uploads)
				code, body := status(t, bufio.NewReader(conn))
				if code != 400 || !strings.Contains(body, textSlow) {
					t.Errorf("%d %s; want 400 and %q", code, body, textSlow)
				}
				synctest.Wait()
				d.expect(t, 400, 0)
			})
		})
	}
}

// Nor has one whose answer has begun, and breaks off since the site does not get the body. It is no fault of the site's.
func TestWhoSendsTooSlowlyForAnAnswerHasNotLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSlowDoor(func(c *call) (any, error) {
			return c.pass(passing{answered: func(*http.Response) {}, RoundTripper: roundTrip(func(r *http.Request) (*http.Response, error) {
				out, in := io.Pipe()
				go func() {
					_, err := io.Copy(in, r.Body)
					_ = in.CloseWithError(fmt.Errorf("%w: %w", fault.BadUpstream, err))
				}()
				return &http.Response{StatusCode: 200, Header: http.Header{}, ContentLength: -1, Body: out, Request: r}, nil
			})})
		})
		conn := paced(t, d.ServeHTTP)()
		send(t, conn, uploads+"half")
		_, _ = io.ReadAll(conn)
		synctest.Wait()
		record := records(t, d.log.String())[0]
		if record["code"] != 200.0 || record["error_class"] != "invalid" {
			t.Errorf("it is logged as %v; want 200, and that the request was invalid", record)
		}
	})
}

// Who sends half of a body and goes has left, and who is cut off because Portico stops has not.
func TestUploadsThatEndEarly(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(server *httptest.Server, conn net.Conn)
		code int
	}{
		{"the caller leaves", func(_ *httptest.Server, conn net.Conn) { _ = conn.Close() }, codeClientGone},
		{"Portico stops", func(server *httptest.Server, _ net.Conn) { _ = server.Config.Close() }, 503},
	} {
		t.Run(test.name, func(t *testing.T) {
			reading := make(chan struct{})
			d := newSlowDoor(func(c *call) (any, error) {
				_, _ = io.ReadFull(c.Request.Body, make([]byte, 4))
				close(reading)
				return works(c)
			})
			server := httptest.NewServer(pace{defaultPace, defaultPace}.kept(d))
			defer server.Close()
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			send(t, conn, uploads+"half")
			<-reading
			test.end(server, conn)
			eventually(t, "it is logged", func() bool { return d.log.String() != "" })
			if record := records(t, d.log.String())[0]; record["code"] != float64(test.code) {
				t.Errorf("logged as %v (%v); want %d", record["code"], record["error"], test.code)
			}
		})
	}
}
