//go:build unix

package upstream

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
)

// TestCallsWaitForSlowReaders has a host take a request bit by bit.
func TestCallsWaitForSlowReaders(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		if n == longestSent {
			w.WriteHeader(http.StatusAccepted)
		}
	}))
	listen := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(socket uintptr) { _ = syscall.SetsockoptInt(int(socket), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 1) })
	}}
	err := server.Listener.Close()
	if err != nil {
		t.Fatal(err)
	}
	server.Listener, err = listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server.Start()
	defer server.Close()
	caller, _ := calling(t, server)
	caller.Calls.Transport = &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return conn, conn.(*net.TCPConn).SetWriteBuffer(1)
	}}
	for range 2 {
		reply, err := caller.Do(newPut(t, t.Context(), server.URL, strings.Repeat("x", longestSent)), "get", 100)
		if err != nil || reply.Status != http.StatusAccepted {
			t.Errorf("Do = %d, %v; want 202", reply.Status, err)
		}
	}
}
