package store

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"portico/proxy/session"
)

// A server is a real one, on a port of its own, that ends with the test.
type server struct {
	address string
	args    []string
	process *exec.Cmd
	admin   *redis.Client
}

// startServer starts redis-server with more arguments. Where there is none the test is left out, except
// under CI, which must have it.
func startServer(t *testing.T, args ...string) *server {
	t.Helper()
	_, err := exec.LookPath("redis-server")
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal("CI needs redis-server: apt-get install redis-server")
	}
	if err != nil {
		t.Skip("left out: the shared store on a real server. It needs: sudo apt-get install redis-server")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	s := &server{address: listener.Addr().String()}
	must(t, listener.Close())
	_, port, _ := net.SplitHostPort(s.address)
	s.args = append([]string{"--bind", "127.0.0.1", "--port", port, "--save", "", "--dir", t.TempDir()}, args...)
	s.admin = redis.NewClient(&redis.Options{Addr: s.address})
	t.Cleanup(func() {
		_ = s.admin.Close()
		s.stop()
	})
	s.start(t)
	return s
}

func (s *server) start(t *testing.T) {
	t.Helper()
	var output bytes.Buffer
	s.process = exec.Command("redis-server", s.args...)
	s.process.Stdout, s.process.Stderr = &output, &output
	must(t, s.process.Start())
	for range 1000 {
		if s.admin.Ping(t.Context()).Err() == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.stop()
	t.Fatalf("redis-server does not answer: %s", output.String())
}

func (s *server) stop() {
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
}

// cli sends a command that tests need and the store does not.
func (s *server) cli(t *testing.T, args ...any) string {
	t.Helper()
	answer, err := s.admin.Do(t.Context(), args...).Text()
	if err != nil && !errors.Is(err, redis.Nil) {
		t.Fatalf("%v: %v", args, err)
	}
	return answer
}

// await sends a command until the answer holds a text.
func (s *server) await(t *testing.T, text string, args ...any) {
	t.Helper()
	for range 1000 {
		if strings.Contains(s.cli(t, args...), text) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%v does not answer %q", args, text)
}

// open returns a store on the server, which ends with the test. Its time limit is long, since a machine
// that is busy is no fault.
func (s *server) open(t *testing.T, change func(*Settings)) *Valkey {
	t.Helper()
	settings := Settings{Addresses: []string{s.address}, Timeout: 20 * time.Second, Keys: [][]byte{bytes.Repeat([]byte{1}, keySize)},
		Metrics: session.NewMetrics(prometheus.NewRegistry())}
	if change != nil {
		change(&settings)
	}
	v, err := New(settings)
	must(t, err)
	t.Cleanup(func() { _ = v.Close() })
	return v
}
