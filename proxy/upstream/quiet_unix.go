//go:build unix

package upstream

import "syscall"

// isQuiet reports whether nothing has come since the last answer, not even the end of the connection. A call
// sent to a host that has closed it would be lost, and nobody could say whether it was carried out.
func (l *line) isQuiet() bool {
	if l.raw == nil {
		return true
	}
	quiet := false
	err := l.raw.Read(func(socket uintptr) bool {
		_, err := syscall.Read(int(socket), make([]byte, 1))
		quiet = err == syscall.EAGAIN
		return true // what has come is seen at once: nothing is waited for
	})
	return err == nil && quiet
}
