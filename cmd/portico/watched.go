package main

import (
	"crypto/tls"
	"errors"
	"net"

	"portico/proxy/quick"
)

// A watching listener's connections tell the strangers while their peers are to take something.
type watching struct {
	net.Listener
	of *strangers
}

// Accept implements net.Listener.
func (l *watching) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &watched{Conn: conn, of: l.of}, nil
}

// A watched connection is one of those.
type watched struct {
	net.Conn
	of  *strangers
	one *stranger // it is, once the server has met it; nil before
}

// introduce says which stranger conn is, if it covers a watched connection.
func introduce(conn net.Conn, one *stranger) {
	switch conn := conn.(type) {
	case *watched:
		conn.one = one
	case *quick.Conn:
		introduce(conn.Conn, one)
	case *tls.Conn:
		introduce(conn.NetConn(), one)
	}
}

// Write implements net.Conn. What agents are written goes past the strangers.
func (c *watched) Write(p []byte) (int, error) {
	if c.one == nil || c.one.known.Load() {
		return c.Conn.Write(p)
	}
	c.of.writes(c.one, 1)
	defer c.of.writes(c.one, -1)
	return c.Conn.Write(p)
}

// Uncovered returns the connection itself, for who has taken it over.
func (c *watched) Uncovered() net.Conn { return c.Conn }

// CloseWrite ends our half, if the connection has halves.
func (c *watched) CloseWrite() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}
