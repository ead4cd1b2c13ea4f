package dashboards

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Tests whose names begin with TestLive start Portico and a Prometheus that watches it.
// make test-prometheus builds what they need and names the folder; without it they are left out.
func programs(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("PROGRAMS")
	if folder == "" {
		t.Skip("needs built programs and Prometheus: make test-prometheus")
	}
	return folder
}

// A child is a process that a test started. It is gone when the test is over.
type child struct {
	cmd    *exec.Cmd
	stdout said
	stderr said
	ended  chan struct{}
	result error // once ended is closed
}

// stopsWithin is how long a child may take to end; then it is killed.
const stopsWithin = 20 * time.Second

// start runs a program until it ends, or the test does.
func start(t *testing.T, file string, args ...string) *child {
	t.Helper()
	c := &child{cmd: exec.Command(file, args...), ended: make(chan struct{})}
	c.cmd.Stdout, c.cmd.Stderr = &c.stdout, &c.stderr
	err := c.cmd.Start()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		c.result = c.cmd.Wait()
		close(c.ended)
	}()
	t.Cleanup(func() {
		c.stop()
		if t.Failed() {
			t.Logf("%s said: %s", filepath.Base(file), c.stderr.tail())
		}
	})
	return c
}

func (c *child) stop() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-c.ended:
	case <-time.After(stopsWithin):
		_ = c.cmd.Process.Kill()
		<-c.ended
	}
}

func (c *child) hasEnded() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}

// said is what a child has printed so far. Any number of goroutines may use it.
type said struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *said) bytes() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.text.Bytes())
}

// tail returns the end of it, which says why a process ended.
func (s *said) tail() []byte {
	all := s.bytes()
	return all[max(0, len(all)-4000):]
}

// freePort returns the port of a loopback address that nothing listens on.
func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	return port
}

// until waits for a condition, and fails the test if it does not come about in time. Time is bounded
// for a machine that is much too slow; usually it takes a tenth of it.
func until(t *testing.T, what string, within time.Duration, holds func() bool) {
	t.Helper()
	overdue := time.After(within)
	for !holds() {
		select {
		case <-overdue:
			t.Fatalf("not within %v: %s", within, what)
		case <-time.After(200 * time.Millisecond):
		}
	}
}
