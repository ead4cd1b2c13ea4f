package push

import "net/http"

// A Watcher is told of one connection that was taken from the http.Server when it has nothing to do, so that those can
// be bounded: it may close the connection then. Any goroutines may call its methods, also under the server's lock: they
// must not wait, nor call the server. Nothing counts after Gone.
type Watcher interface {
	// Idle is told whose the last request on it was, and that the next one is waited for; or whose websocket it is, and
	// that it speaks for no client.
	Idle(owner string)

	// Busy is told that it is not idle any more, whether or not it was.
	Busy()

	// Gone is told that it is closed, or the http.Server's again.
	Gone()
}

// watch returns who is told of the connection of r, which is taken over as l.
func (s *Server) watch(r *http.Request, l *link) Watcher {
	if s.opts.Watch != nil {
		watcher := s.opts.Watch(r.Context(), l.Conn)
		if watcher != nil {
			return watcher
		}
	}
	return nobody{}
}

// nobody watches.
type nobody struct{}

func (nobody) Idle(string) {}
func (nobody) Busy()       {}
func (nobody) Gone()       {}
