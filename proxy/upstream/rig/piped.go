package rig

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
)

// Piped returns a transport whose connections are in memory, with a handler at the other end.
func Piped(h http.Handler) *http.Transport {
	server := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	return &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() { _ = server.Serve(&single{conn: theirs}) }()
		return ours, nil
	}}
}

// A single is a listener of one connection.
type single struct{ conn net.Conn }

func (s *single) Accept() (net.Conn, error) {
	conn := s.conn
	if conn == nil {
		return nil, net.ErrClosed
	}
	s.conn = nil
	return conn, nil
}

func (s *single) Close() error   { return nil }
func (s *single) Addr() net.Addr { return &net.UnixAddr{} }
