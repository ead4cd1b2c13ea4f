package quick

import "net"

// Listener has the connections of another listener answered on.
type Listener struct {
	net.Listener
	Settings
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return wrap(conn, &l.Settings), nil
}
