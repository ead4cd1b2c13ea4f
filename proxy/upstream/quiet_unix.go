//go:build unix

package upstream

import "syscall"

// isQuiet reports whether nothing has come since the last answer, not even the end of the connection. A call
// sent to a host that has closed it would be lost, and nobody could say whether it was carried out.
func (l *line) isQuiet() bool {
	if l.raw == nil {
		return true
	}
	if l.look == nil { // made once: each call looks
		l.look = func(socket uintptr) bool {
			_, err := syscall.Read(int(socket), l.seen[:])
			l.quiet = err == syscall.EAGAIN
			return true // what has come is seen at once: nothing is waited for
		}
	}
	l.quiet = false
	err := l.raw.Read(l.look)
	return err == nil && l.quiet
}
