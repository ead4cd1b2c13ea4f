//go:build !unix

package push

// receiveNow is receive of a connection of the system.
func (l *link) receiveNow() (*catch, error) {
	l.raw = nil
	return l.receive()
}

// writeNow writes nothing here: how much the connection takes without being waited for is not known.
func (l *link) writeNow([]byte) int { return 0 }
