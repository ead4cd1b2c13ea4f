package quick

import (
	"context"
	"net"
	"sync"
)

// Listener has the connections of another listener answered on.
type Listener struct {
	net.Listener
	Settings
	handling handling
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &Conn{Conn: conn, of: l, context: context.Background()}, nil
}

// Wait waits until no handler is at work on a connection, or ctx ends. The server takes those for idle, so it is
// called when that has been shut down.
func (l *Listener) Wait(ctx context.Context) error { return l.handling.wait(ctx) }

// A handling counts handlers at work. Any number of goroutines may use it.
type handling struct {
	mu    sync.Mutex
	now   int             // guarded by mu
	ended []chan struct{} // are closed when there is none; guarded by mu
}

func (h *handling) begin() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now++
}

func (h *handling) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now--
	if h.now > 0 {
		return
	}
	for _, ended := range h.ended {
		close(ended)
	}
	h.ended = nil
}

func (h *handling) wait(ctx context.Context) error {
	h.mu.Lock()
	if h.now == 0 {
		h.mu.Unlock()
		return nil
	}
	ended := make(chan struct{})
	h.ended = append(h.ended, ended)
	h.mu.Unlock()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
