package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"
)

// A connection on which nothing was ever sent holds up the end of a server no longer than a request on
// its way may take.
func TestUnusedConnectionsHoldUpNoEnd(t *testing.T) {
	s, err := listen("door", "127.0.0.1:0", http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	running := make(chan error, 1)
	go func() { running <- s.run(t.Context()) }()
	conn, err := net.Dial("tcp", s.address())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for deadline := time.Now().Add(10 * time.Second); !s.unused.any(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the connection was not accepted")
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second) // net/http itself would take 5
	defer cancel()
	err = s.stop(ctx)
	if err != nil {
		t.Error(err)
	}
	err = <-running
	if err != nil {
		t.Error(err)
	}
}

func (u *unused) any() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.conns) > 0
}
