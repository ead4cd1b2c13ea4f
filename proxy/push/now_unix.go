//go:build unix

package push

import (
	"io"
	"os"
	"syscall"
)

// receiveNow is receive of a connection of the system, in one call of it for a request.
func (l *link) receiveNow() (*catch, error) {
	var came *catch
	var failed error
	err := l.raw.Read(func(fd uintptr) bool {
		c := newCatch()
		c.n, failed = readNow(int(fd), c.buffer[:])
		if c.n > 0 {
			came = c
			return true
		}
		c.giveBack()
		return failed != syscall.EAGAIN
	})
	switch {
	case err != nil:
		return nil, err
	case failed != nil:
		return nil, os.NewSyscallError("read", failed)
	case came == nil:
		return nil, io.EOF
	}
	return came, nil
}

func readNow(fd int, p []byte) (int, error) {
	for {
		n, err := syscall.Read(fd, p)
		if err != syscall.EINTR {
			return max(n, 0), err
		}
	}
}

// writeNow writes as much of p as the connection takes without being waited for. Whether it can take more, a
// failure included, the next write tells.
func (l *link) writeNow(p []byte) int {
	if l.raw == nil {
		return 0
	}
	n := 0
	err := l.raw.Write(func(fd uintptr) bool {
		n, _ = syscall.Write(int(fd), p)
		return true
	})
	if err != nil {
		return 0
	}
	return max(n, 0)
}
