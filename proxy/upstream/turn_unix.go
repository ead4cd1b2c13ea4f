//go:build unix

package upstream

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// A turn is a request and the beginning of its answer, as they go over a socket.
type turn struct {
	step func(socket uintptr) bool // made once: each call needs it
	text []byte                    // of the request, that is still to be written
	in   []byte                    // to read into
	n    int                       // how much of in came
	err  error                     // that ended it

	// What isQuiet works with.
	look  func(socket uintptr) bool
	seen  [1]byte
	quiet bool
}

// turnAround is askAndWait of a bare socket. It looks, writes and reads while it holds the socket once, and a deadline
// that an earlier call has set is left until it strikes. Whoever does one after the other takes and leaves the socket
// three times, sets two timers, and reads in vain before they wait: BenchmarkCalls measures it.
func (l *line) turnAround(text, in []byte) (int, error) {
	t := &l.turn
	if t.step == nil {
		t.step = l.takeStep
	}
	t.text, t.in, t.n, t.err = text, in, 0, nil
	defer func() { t.text, t.in = nil, nil }()
	err := l.raw.Read(t.step)
	if errors.Is(err, os.ErrDeadlineExceeded) && l.until.After(l.set) {
		l.setDeadline()
		err = l.raw.Read(t.step)
	}
	switch {
	case err != nil:
		return 0, err
	case t.err != nil:
		return 0, t.err
	case len(t.text) > 0: // the other side does not take it all at once
		return l.writeAndWait(t.text, in)
	}
	return t.n, nil
}

// takeStep takes the next step of the turn, and reports whether it is the last. Otherwise there is another once there
// is something to read. What comes between two steps is not missed: raw.Read waits for whatever has come since it was
// called.
func (l *line) takeStep(socket uintptr) bool {
	t := &l.turn
	if len(t.text) == 0 {
		return t.read(int(socket))
	}
	if l.kept && !l.wrote && !t.isQuiet(int(socket)) {
		t.err = errStale
		return true
	}
	n, err := uninterrupted(syscall.Write, int(socket), t.text)
	l.wrote = l.wrote || n > 0
	t.text = t.text[n:]
	if err != nil && err != syscall.EAGAIN {
		t.err = failed("write", err)
		return true
	}
	return len(t.text) > 0
}

// read reads what has come, and reports whether anything has.
func (t *turn) read(socket int) bool {
	n, err := uninterrupted(syscall.Read, socket, t.in)
	t.n = n
	switch {
	case err == syscall.EAGAIN:
		return false
	case err != nil:
		t.err = failed("read", err)
	case n == 0:
		t.err = io.EOF
	}
	return true
}

// isQuiet reports whether nothing has come since the last answer, not even the end of the connection.
func (l *line) isQuiet() bool {
	if l.raw == nil {
		return true
	}
	t := &l.turn
	if t.look == nil { // made once: each call looks
		t.look = func(socket uintptr) bool {
			t.quiet = t.isQuiet(int(socket))
			return true // what has come is seen at once: nothing is waited for
		}
	}
	t.quiet = false
	err := l.raw.Read(t.look)
	return err == nil && t.quiet
}

func (t *turn) isQuiet(socket int) bool {
	_, err := uninterrupted(syscall.Read, socket, t.seen[:])
	return err == syscall.EAGAIN
}

// uninterrupted makes a system call that a signal may interrupt, and returns how many bytes it took or brought.
func uninterrupted(call func(int, []byte) (int, error), socket int, p []byte) (int, error) {
	for {
		n, err := call(socket, p)
		if err != syscall.EINTR {
			return max(n, 0), err
		}
	}
}

// failed returns an error as a connection would.
func failed(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Err: os.NewSyscallError(op, err)}
}
