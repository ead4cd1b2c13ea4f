package push

import (
	"sync"
	"time"
)

// A catch is what came on a link that waited, in a buffer that is used again. One goroutine uses it at a time.
type catch struct {
	buffer [catchSize]byte
	n      int
}

// catchSize is more than a connect needs with its headers.
const catchSize = 4 << 10

var catches = sync.Pool{New: func() any { return new(catch) }}

func newCatch() *catch {
	c := catches.Get().(*catch)
	c.n = 0
	return c
}

func (c *catch) bytes() []byte { return c.buffer[:c.n] }

func (c *catch) giveBack() { catches.Put(c) }

// moment is how long the rest of a request is waited for on a connection that cannot tell what is there already.
const moment = time.Millisecond

// receive waits until something comes, and returns that much of it which is there at once. While it waits there is
// no buffer.
func (l *link) receive() (*catch, error) {
	if l.raw != nil && len(l.early) == 0 {
		return l.receiveNow()
	}
	err := l.await()
	if err != nil {
		return nil, err
	}
	c := newCatch()
	c.n = copy(c.buffer[:], l.early)
	l.early = l.early[c.n:]
	if len(l.early) == 0 && l.raw == nil && c.n < len(c.buffer) {
		_ = l.SetReadDeadline(time.Now().Add(moment))
		n, _ := l.Conn.Read(c.buffer[c.n:]) // a failure is there to be read again
		_ = l.SetReadDeadline(time.Time{})
		c.n += n
	}
	return c, nil
}
