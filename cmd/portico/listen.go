package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"portico/proxy/push"
)

// Time-outs of our HTTP servers. Answers have none: an event stream or a download may take long.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 32 << 10 // bytes
)

// A server is an HTTP server on a listener that is open already, so that its address is known.
type server struct {
	name     string
	http     *http.Server
	listener net.Listener
	returns  *push.Returns // of connections that were parked; nil for none
	unused   *unused
}

// listen opens a listener. The caller runs the server, or closes the listener.
func listen(name, address string, handler http.Handler, log *slog.Logger) (*server, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	unused := &unused{}
	return &server{name: name, listener: listener, unused: unused, http: &http.Server{
		ConnState: unused.note, Handler: handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), // what callers do to a connection
	}}, nil
}

// withTLS makes the server speak HTTPS.
func (s *server) withTLS(certificate tls.Certificate) {
	s.listener = tls.NewListener(s.listener, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12})
}

// address returns where the server listens, as host:port.
func (s *server) address() string { return s.listener.Addr().String() }

// run serves until ctx ends. Stopping is stop's.
func (s *server) run(ctx context.Context) error {
	failed := make(chan error, 1)
	if s.returns != nil {
		go func() { _ = s.http.Serve(s.returns) }() // ends with the server
	}
	go func() { failed <- s.http.Serve(s.listener) }()
	select {
	case err := <-failed:
		if errors.Is(err, http.ErrServerClosed) { // stop came before ctx ended
			return nil
		}
		return fmt.Errorf("%s: %w", s.name, err)
	case <-ctx.Done():
		return nil
	}
}

// close stops at once. A listener that was never served is closed as well.
func (s *server) close() error {
	err := s.http.Close()
	closing := s.listener.Close()
	if errors.Is(closing, net.ErrClosed) {
		closing = nil
	}
	return errors.Join(err, closing)
}

// stop takes no new requests and waits for those under way until ctx ends; then it cuts them off.
func (s *server) stop(ctx context.Context) error {
	closeUnused := time.AfterFunc(unusedFor, s.unused.close)
	defer closeUnused.Stop()
	err := s.http.Shutdown(ctx)
	if err == nil {
		return nil
	}
	closing := s.http.Close()
	return fmt.Errorf("%s: stopped with requests under way: %w", s.name, errors.Join(err, closing))
}
