package admin

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"portico/cache"
	"portico/proxy/gateway"
	"portico/proxy/session"
)

// A hall is an operator's door on a listener in memory, whose connections hold nothing that was not read.
type hall struct {
	t     *testing.T
	conns chan net.Conn
}

// newHall opens a door. It is to be called in a bubble, and closed at its end.
func newHall(t *testing.T, s Settings) (h *hall, shut func()) {
	t.Helper()
	reg := prometheus.NewRegistry()
	served, err := gateway.New(gateway.Settings{Policy: gateway.Policy{Idle: time.Hour, MaxBytes: 1 << 20}, Store: session.NewMemory(),
		Cache: cache.NewMetrics(reg), Metrics: gateway.NewMetrics(reg)})
	if err != nil {
		t.Fatal(err)
	}
	many := promauto.With(reg).NewGaugeVec(prometheus.GaugeOpts{Name: "many", Help: "More than a server keeps before it writes."}, []string{"number"})
	for n := range 1000 {
		many.WithLabelValues(strconv.Itoa(n)).Set(1)
	}
	s.Gatherer, s.Registerer, s.Gateway, s.Draining = reg, reg, served, func() bool { return false }
	server := &http.Server{Handler: New(s)}
	h = &hall{t: t, conns: make(chan net.Conn)}
	go func() { _ = server.Serve(h) }()
	return h, func() {
		_ = server.Close()
		served.Close(context.Background())
	}
}

func (h *hall) Accept() (net.Conn, error) {
	conn, ok := <-h.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (h *hall) Close() error {
	close(h.conns)
	return nil
}

func (h *hall) Addr() net.Addr { return &net.TCPAddr{} }

// sends opens a connection and writes requests on it, whose answers nobody reads yet.
func (h *hall) sends(requests string) net.Conn {
	ours, theirs := net.Pipe()
	h.conns <- theirs
	go func() { _, _ = io.WriteString(ours, requests) }()
	return ours
}

// status is that of the next answer, 0 if the connection ends before, and -1 if nothing comes for a minute.
func (h *hall) status(conn net.Conn) int {
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return -1
	}
	if err != nil {
		return 0
	}
	_, err = io.Copy(io.Discard, response.Body)
	if err != nil {
		return 0
	}
	return response.StatusCode
}

const scrape = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"

func TestWhoTakesNoScrapeKeepsNobodyFromTheirs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, shut := newHall(t, Settings{})
		var held []net.Conn
		for range maxScrapes {
			held = append(held, h.sends(strings.Repeat(scrape, 60)))
		}
		synctest.Wait()
		prometheus := h.sends(scrape)
		if got := h.status(prometheus); got != http.StatusOK {
			t.Errorf("a scrape beside %d that nobody reads is answered %d; want 200", maxScrapes, got)
		}
		for _, conn := range append(held, prometheus) {
			_ = conn.Close()
		}
		shut()
	})
}

func TestAnswersAreToBeTakenInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, shut := newHall(t, Settings{Open: true})
		for what, test := range map[string]struct {
			request string
			late    bool
		}{
			"a scrape":                {scrape, true},
			"health":                  {"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", true},
			"a view":                  {"GET /sessions HTTP/1.1\r\nHost: localhost\r\n\r\n", true},
			"nothing that there is":   {"GET /me HTTP/1.1\r\nHost: localhost\r\n\r\n", true},
			"a body that never comes": {"PUT /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n", true},
			"a profile":               {"GET /debug/pprof/goroutine HTTP/1.1\r\nHost: localhost\r\n\r\n", false},
		} {
			conn := h.sends(test.request)
			if test.request[0] == 'P' {
				_ = h.status(conn)
			}
			time.Sleep(writeWait + time.Second)
			if got := h.status(conn); (got == 0) != test.late {
				t.Errorf("%s, of which nothing was taken for %v, comes with %d; want late %v", what, writeWait, got, test.late)
			}
			_ = conn.Close()
		}
		shut()
	})
}

// What an answer is waited for, and the time since the one before, are not its caller's.
func TestOnlyTakingCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, shut := newHall(t, Settings{Open: true})
		conn := h.sends("")
		for range 3 {
			for _, path := range []string{"/healthz", "/debug/pprof/goroutine"} {
				go func() { _, _ = io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\n\r\n") }()
				if got := h.status(conn); got != http.StatusOK {
					t.Errorf("GET %s = %d; want 200", path, got)
				}
				time.Sleep(2 * writeWait)
			}
		}
		_ = conn.Close()
		shut()
	})
}
