package store

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"portico/proxy/push"
)

// A wire is the way to a server, whose connections can be silenced: what is sent on them is lost, and nobody is told.
type wire struct {
	net.Listener
	to string

	mu     sync.Mutex
	opened []chan struct{} // closed for those that are silent; guarded by mu
}

func newWire(t *testing.T, to string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	w := &wire{Listener: l, to: to}
	t.Cleanup(func() { _ = l.Close() })
	go w.run()
	return w
}

func (w *wire) run() {
	for {
		from, err := w.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", w.to)
		if err != nil {
			_ = from.Close()
			continue
		}
		silent := make(chan struct{})
		w.mu.Lock()
		w.opened = append(w.opened, silent)
		w.mu.Unlock()
		go pass(to, from, silent)
		go pass(from, to, silent)
	}
}

// pass copies until a connection ends, and forgets what comes once they are silent.
func pass(to, from net.Conn, silent chan struct{}) {
	defer to.Close()
	_, _ = io.Copy(writer(func(b []byte) (int, error) {
		select {
		case <-silent:
			return len(b), nil
		default:
			return to.Write(b)
		}
	}), from)
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

// silence silences the connections there are.
func (w *wire) silence() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range w.opened {
		close(one)
	}
}

func (w *wire) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.opened)
}

// TestASilentConnectionIsReplaced has the connections of a replica go silent, as when the server's host is lost and
// another takes its address.
func TestASilentConnectionIsReplaced(t *testing.T) {
	server := startServer(t)
	line := newWire(t, server.address)
	v := server.open(t, func(s *Settings) { s.Addresses = []string{line.Addr().String()} })
	heard, notices := make(chan string, 1000), make(chan push.Notice, 1000)
	t.Cleanup(v.Bell().Hear("anna", func() { heard <- "anna" }))
	goes(t, v.Journal(), notices)
	await(t, "both begin", func() bool { return len(heard) > 0 && len(notices) > 0 })
	before := line.count()
	time.Sleep(earPings + earWaits + 2*earLooks)
	if n := line.count(); n != before {
		t.Errorf("%d connections were opened while all was quiet; want none", n-before)
	}
	empty(heard)
	empty(notices)
	line.silence()
	t.Cleanup(v.Bell().Hear("bjorn", func() { heard <- "bjorn" }))
	await(t, "both begin anew", func() bool { return len(heard) > 1 && len(notices) > 0 })
	time.Sleep(earWaits)
	must(t, v.ears.deaf())
}
