package store

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"portico/proxy/session"
)

// await waits until a condition holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for range 1000 {
		if holds() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("still not: %s", what)
}

// running has the store probe its server until the test ends.
func running(t *testing.T, v *Valkey) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- v.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		must(t, <-ended)
	})
}

const upIs1 = `# HELP portico_session_store_up 1 if the last operation of the session store brought an answer, and it lets the replica hear the others.
# TYPE portico_session_store_up gauge
portico_session_store_up 1
`

func TestAServerThatWasAwayIsFoundAgain(t *testing.T) {
	server := startServer(t)
	reg := prometheus.NewRegistry()
	metrics := session.NewMetrics(reg)
	up := func() bool {
		return testutil.GatherAndCompare(reg, strings.NewReader(upIs1), "portico_session_store_up") == nil
	}
	var log bytes.Buffer // of Run; read when the store is seen to have changed
	v := server.open(t, func(s *Settings) {
		s.Metrics, s.Timeout, s.Log = metrics, time.Second, slog.New(slog.NewTextHandler(&log, nil))
	})
	running(t, v)
	await(t, "up", up)
	must(t, v.Sessions().Put(t.Context(), session.Session{ID: "a1", Login: "anna"}, time.Hour))

	server.stop()
	await(t, "down", func() bool { return !v.Up() && !up() })
	_, err := v.Sessions().Get(t.Context(), "a1")
	if !errors.Is(err, ErrDown) || !strings.Contains(err.Error(), "connection refused") && !strings.Contains(err.Error(), "EOF") {
		t.Errorf("Get from a store that is away: %v; want %v at once, and why", err, ErrDown)
	}
	server.start(t) // with nothing in it, and none of the scripts
	await(t, "up again", v.Up)
	said := log.String()
	if !strings.Contains(said, `level=WARN msg="the session store does not answer" cause=`) || !strings.Contains(said, `level=INFO msg="the session store answers again"`) {
		t.Errorf("the log says:\n%s", said)
	}
	_, err = v.Sessions().Get(t.Context(), "a1")
	found(t, "a session that was lost with the server", session.Session{}, err, "")
	must(t, v.Sessions().Put(t.Context(), session.Session{ID: "a2", Login: "anna"}, time.Hour))
}

// A server that takes connections and is silent costs each caller the time limit, and only that.
func TestASilentServerIsNotWaitedForLong(t *testing.T) {
	server := startServer(t)
	v := server.open(t, func(s *Settings) { s.Timeout = 100 * time.Millisecond })
	must(t, server.process.Process.Signal(syscall.SIGSTOP))
	t.Cleanup(func() { _ = server.process.Process.Signal(syscall.SIGCONT) })
	ended := make(chan error, 1)
	go func() {
		_, err := v.Sessions().Get(context.Background(), "a1")
		ended <- err
	}()
	select {
	case err := <-ended:
		slow, timeout := errors.AsType[net.Error](err)
		if !timeout || !slow.Timeout() {
			t.Errorf("Get = %v; want a timeout", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("a call goes on and on")
	}
	must(t, server.process.Process.Signal(syscall.SIGCONT))
	await(t, "answers again", func() bool {
		_, err := v.Sessions().Get(t.Context(), "a1")
		return errors.Is(err, session.ErrNotFound)
	})
}
