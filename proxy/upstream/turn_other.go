//go:build !unix

package upstream

// A turn is the connection's own business here.
type turn struct{}

// turnAround is askAndWait of a bare socket.
func (l *line) turnAround(text, in []byte) (int, error) { return l.writeAndWait(text, in) }

// isQuiet cannot be asked here.
func (l *line) isQuiet() bool { return true }
