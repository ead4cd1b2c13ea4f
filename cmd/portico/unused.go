package main

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// unusedFor is how long a server that stops waits for the first request on a connection: one may be on
// its way.
const unusedFor = time.Second

// unused are a server's connections on which no request has come. Browsers and clients dial some ahead,
// and http.Server.Shutdown waits for each of them for five seconds. Any number of goroutines may use it.
type unused struct {
	mu    sync.Mutex
	conns map[net.Conn]bool // guarded by mu
}

// note is the server's ConnState.
func (u *unused) note(conn net.Conn, state http.ConnState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if state != http.StateNew {
		delete(u.conns, conn)
		return
	}
	if u.conns == nil {
		u.conns = map[net.Conn]bool{}
	}
	u.conns[conn] = true
}

func (u *unused) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for conn := range u.conns {
		_ = conn.Close()
	}
}
