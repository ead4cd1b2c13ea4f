package proxy

import (
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"portico/proxy/push"
	"portico/proxy/quick"
)

// newPiped serves handler on connections in memory, and on those that come back from parking, until the
// test ends.
func newPiped(t *testing.T, handler http.Handler, returns *push.Returns) *piped {
	p := &piped{make(chan net.Conn), make(chan struct{})}
	server := &http.Server{Handler: handler, IdleTimeout: time.Minute}
	door := handler.(*Door)
	quickly := &quick.Listener{Listener: p, Settings: quick.Settings{Answer: door.Quick, Handler: door, Handles: door.Handles, Write: door.WriteTimeout, Idle: server.IdleTimeout}}
	server.ConnState = noteQuickly
	var serving sync.WaitGroup
	for _, listener := range []net.Listener{quickly, returns} {
		serving.Go(func() { _ = server.Serve(listener) })
	}
	t.Cleanup(func() {
		_ = server.Close()
		serving.Wait()
	})
	return p
}

// A pipe is a caller's end of a connection, which takes whatever comes.
type pipe struct {
	net.Conn
	// To be read while nothing comes.
	answers int    // that came
	taken   []byte // the last one
}

// dial opens a connection.
func (p *piped) dial() *pipe {
	ours, theirs := net.Pipe()
	p.conns <- theirs
	one := &pipe{Conn: ours}
	go one.take()
	return one
}

// take takes answers, each of which is one write, until the connection is closed. It allocates nothing
// meanwhile.
func (p *pipe) take() {
	buffer := make([]byte, 64<<10)
	for {
		n, err := p.Read(buffer)
		if err != nil {
			return
		}
		p.answers, p.taken = p.answers+1, buffer[:n]
	}
}
