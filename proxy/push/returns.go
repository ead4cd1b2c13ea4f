package push

import (
	"net"
	"sync"
)

// Returns is a listener of connections whose held connect was parked and answered, once their next request
// has begun. The http.Server that they were taken from serves it beside its own listener. Any number of
// goroutines may call its methods.
type Returns struct {
	conns  chan net.Conn
	closed chan struct{}
	close  func()
	addr   net.Addr
}

// Returned reports whether conn came from such a listener: whoever calls there has been let in before.
func Returned(conn net.Conn) bool {
	_, is := conn.(*link)
	return is
}

// NewReturns returns a listener that says it is at addr.
func NewReturns(addr net.Addr) *Returns {
	r := &Returns{conns: make(chan net.Conn), closed: make(chan struct{}), addr: addr}
	r.close = sync.OnceFunc(func() { close(r.closed) })
	return r
}

// Accept implements net.Listener.
func (r *Returns) Accept() (net.Conn, error) {
	select {
	case conn := <-r.conns:
		return conn, nil
	case <-r.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (r *Returns) Close() error {
	r.close()
	return nil
}

// Addr implements net.Listener.
func (r *Returns) Addr() net.Addr { return r.addr }

// give reports whether the http.Server took conn.
func (r *Returns) give(conn net.Conn) bool {
	select {
	case r.conns <- conn:
		return true
	case <-r.closed:
		return false
	}
}
