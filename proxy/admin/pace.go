package admin

import (
	"bytes"
	"net/http"
	"strings"
	"time"
)

// Limits of callers, who may be anybody who reaches the address: an answer is to be taken, and a body to have come,
// within so long. The longest answers, of thousands of sessions or sites, are some MB.
const (
	writeWait = 30 * time.Second
	bodyWait  = 30 * time.Second
)

// pprofPath is below which answers take as long as they are asked to. It is for those who have the token.
const pprofPath = "/debug/pprof/"

// inTime holds callers to the limits.
func inTime(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		_ = control.SetWriteDeadline(time.Time{}) // takes away what the request before has left
		if r.Body != nil && r.Body != http.NoBody {
			_ = control.SetReadDeadline(time.Now().Add(bodyWait)) // also for the rest of it, which the server reads itself
		}
		if !strings.HasPrefix(r.URL.Path, pprofPath) {
			w = &timely{ResponseWriter: w, control: control}
		}
		next.ServeHTTP(w, r)
	})
}

// A timely answer is to be taken in time, from its first byte on: what it is waited for does not count.
type timely struct {
	http.ResponseWriter
	control *http.ResponseController
	begun   bool
}

// WriteHeader implements http.ResponseWriter.
func (w *timely) WriteHeader(status int) {
	w.begin()
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *timely) Write(p []byte) (int, error) {
	w.begin()
	return w.ResponseWriter.Write(p)
}

func (w *timely) begin() {
	if !w.begun {
		w.begun = true
		_ = w.control.SetWriteDeadline(time.Now().Add(writeWait))
	}
}

// Unwrap is for http.ResponseController.
func (w *timely) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// whole sends an answer once all of it is there, so that whatever bounds how many are made at once does not wait
// for callers to take theirs.
func whole(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		made := made{header: w.Header(), status: http.StatusOK}
		next.ServeHTTP(&made, r)
		w.WriteHeader(made.status)
		_, _ = made.body.WriteTo(w) // that fails only if the caller is gone
	})
}

// A made answer is in memory.
type made struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (m *made) Header() http.Header { return m.header }

// WriteHeader implements http.ResponseWriter.
func (m *made) WriteHeader(status int) { m.status = status }

// Write implements http.ResponseWriter.
func (m *made) Write(p []byte) (int, error) { return m.body.Write(p) }
