package push

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"
)

// readBuffer is the size in bytes of the buffer that a socket reads frames through. One of up to 256
// would be replaced.
//
// Source: gorilla/websocket, Upgrader.Upgrade.
const readBuffer = 512

// closeWait is how long a peer may take to close its end once we want to.
const closeWait = 5 * time.Second

// A link is the connection below a socket or a line.
type link struct {
	net.Conn
	raw   syscall.RawConn // the same, for reading and writing without waiting; nil for one that knows nothing of that
	in    bufio.Reader    // through which the socket reads; without a buffer while it waits
	early []byte          // has come, and is not in there yet
	first [1]byte
	hasty atomic.Bool // the peer has no more than closeWait left
}

// await waits until there is something to read, and keeps no buffer. It needs half the stack that reading
// a frame does, which doubles once it is too small.
func (l *link) await() error {
	if len(l.early) > 0 || l.in.Buffered() > 0 {
		return nil
	}
	l.in = bufio.Reader{}
	n, err := l.Conn.Read(l.first[:])
	if n == 0 {
		return err
	}
	l.early = l.first[:]
	return nil
}

// buffer gives l a buffer.
func (l *link) buffer() { l.in = *bufio.NewReaderSize(l, readBuffer) }

// Read implements io.Reader.
func (l *link) Read(p []byte) (int, error) {
	if len(l.early) == 0 {
		return l.Conn.Read(p)
	}
	n := copy(p, l.early)
	l.early = l.early[n:]
	if len(l.early) == 0 {
		l.early = nil
	}
	return n, nil
}

// hurry ends what is being read, and will be, once the peer has had closeWait since the first call.
func (l *link) hurry() {
	if l.hasty.CompareAndSwap(false, true) {
		_ = l.SetReadDeadline(time.Now().Add(closeWait))
	}
}

// linger ends our half and waits until the peer has ended its own: a connection that is closed before
// may lose the last of what was written.
//
// Source: RFC 6455, 7.1.1.
func (l *link) linger() {
	if l.CloseWrite() != nil {
		return
	}
	l.hurry()
	_, _ = io.Copy(io.Discard, l.Conn)
}

// CloseWrite ends our half, if the connection has halves.
func (l *link) CloseWrite() error {
	half, ok := l.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}

// newLink returns conn as a link. What stood around it while it was the http.Server's has nothing to do any more.
func newLink(conn net.Conn) *link {
	covered, ok := conn.(interface{ Uncovered() net.Conn })
	if ok {
		conn = covered.Uncovered()
	}
	l := &link{Conn: conn}
	system, ok := conn.(syscall.Conn)
	if ok {
		l.raw, _ = system.SyscallConn()
	}
	return l
}

// take takes over the connection of a request, with what has come on it already.
func take(w http.ResponseWriter) (*link, *bufio.Writer, error) {
	conn, large, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, nil, err
	}
	l, again := conn.(*link)
	if !again {
		l = newLink(conn)
	}
	early, _ := large.Reader.Peek(large.Reader.Buffered())
	l.early = append(bytes.Clone(early), l.early...)
	return l, large.Writer, nil
}

// A taking is a writer whose connection is taken over as a link. The buffers of net/http, 4 KB each, are
// more than all else that an idle socket needs.
type taking struct {
	http.ResponseWriter
	link *link
}

// Hijack implements http.Hijacker.
func (t *taking) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	t.note()
	l, out, err := take(t.ResponseWriter)
	if err != nil {
		return nil, nil, err
	}
	t.link = l
	l.buffer()
	return l, bufio.NewReadWriter(&l.in, out), nil
}

// note tells a writer that keeps the status until there is a body, as gin's, what it is: the head is
// written past it.
func (t *taking) note() {
	_, keeps := t.ResponseWriter.(interface{ WriteHeaderNow() })
	if keeps {
		t.WriteHeader(http.StatusSwitchingProtocols)
	}
}
