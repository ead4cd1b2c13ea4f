package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"portico/config"
	"portico/proxy/push"
	"portico/proxy/quick"
)

// Time-outs of our HTTP servers. Answers have none: an event stream or a download may take long.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 32 << 10 // bytes
	maxStreams    = 250      // requests under way on one connection of HTTP/2
	pingAfter     = 30 * time.Second
)

// A server is an HTTP server on a listener that is open already, so that its address is known.
type server struct {
	name     string
	http     *http.Server
	listener net.Listener
	swift    *quick.Listener // the listener, if requests are answered before http reads them
	returns  *push.Returns   // of connections that were parked; nil for none
	unused   *unused

	strangers    *strangers    // of the callers' door
	certificates *certificates // nil: the server itself speaks no HTTPS
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
		ErrorLog: serverErrors(name, log),
	}}, nil
}

// readAhead is what net/http lets a request of HTTP/1.1 have beyond Server.MaxHeaderBytes, in bytes. On a connection that
// has served it may have as much again, which is read before anything is counted.
//
// Source: net/http, Server.initialReadLimitSize.
const readAhead = 4 << 10

// headerBytes returns what net/http is told for a limit of request line and headers. Over HTTPS it is the limit itself,
// since HTTP/2 has nothing beyond: of a small limit too little would be left for it.
func (s *server) headerBytes(limit config.Bytes) int {
	if s.certificates != nil {
		return int(limit)
	}
	return max(int(limit)-readAhead, 1) // 0 is net/http's default
}

// bound holds callers to the limits. It comes after secure.
func (s *server) bound(limits config.Limits, trusted []netip.Prefix) {
	s.http.ReadHeaderTimeout, s.http.MaxHeaderBytes = limits.HeaderTimeout, s.headerBytes(limits.Header)
	// Over HTTP/2 one connection carries many requests: it is given up when its peer takes nothing.
	s.http.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: maxStreams, WriteByteTimeout: limits.WriteTimeout,
		SendPingTimeout: pingAfter, PingTimeout: limits.WriteTimeout}
	strangers := newStrangers(int(limits.Strangers), int(limits.StrangersPerAddress), trusted)
	strangers.inAll = idleFor(openFiles())
	s.admit(strangers)
}

// admit bounds the connections of strangers.
func (s *server) admit(strangers *strangers) {
	s.strangers = strangers
	s.listener = &watching{s.listener, strangers}
	s.http.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		ctx = strangers.meet(ctx, conn)
		swift, ok := conn.(*quick.Conn)
		if ok {
			swift.Keep(ctx)
		}
		return ctx
	}
	s.http.ConnState = func(conn net.Conn, state http.ConnState) {
		s.unused.note(conn, state)
		known := strangers.note(conn, state)
		swift, ok := conn.(*quick.Conn)
		if ok {
			swift.Note(state, known)
		}
	}
}

// hasten has requests answered before the server reads them, where it speaks plain HTTP.
func (s *server) hasten(how quick.Settings) {
	if s.certificates == nil {
		s.swift = &quick.Listener{Listener: s.listener, Settings: how}
		s.listener = s.swift
	}
}

// secure makes the server speak HTTPS as the settings say, if they do.
func (s *server) secure(files config.TLS, log *slog.Logger) error {
	if !files.Given() {
		return nil
	}
	certificates, err := newCertificates(s.name, files, log)
	if err != nil {
		return err
	}
	s.certificates, s.http.TLSConfig = certificates, certificates.settings()
	return nil
}

// url returns where the server answers.
func (s *server) url() string {
	if s.certificates != nil {
		return "https://" + s.address()
	}
	return "http://" + s.address()
}

// serve serves until the server is closed.
func (s *server) serve() error {
	if s.certificates != nil {
		return s.http.ServeTLS(s.listener, "", "")
	}
	return s.http.Serve(s.listener)
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
	if s.certificates != nil {
		var looking sync.WaitGroup
		defer looking.Wait()
		var stop context.CancelFunc
		ctx, stop = context.WithCancel(ctx)
		defer stop()
		looking.Go(func() { s.certificates.run(ctx) })
	}
	if s.returns != nil {
		go func() { _ = s.http.Serve(s.returns) }() // ends with the server
	}
	go func() { failed <- s.serve() }()
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
	if err == nil && s.swift != nil {
		err = s.swift.Wait(ctx)
	}
	if err == nil {
		return nil
	}
	closing := s.http.Close()
	return fmt.Errorf("%s: stopped with requests under way: %w", s.name, errors.Join(err, closing))
}
