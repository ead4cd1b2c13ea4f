package upstream

import (
	"io"
	"net/http"
)

// DropTrailers takes those fields out of what follows an answer's body that drop reports: whoever passes the
// answer on would tell its caller what the headers of the same name may not say, or repeat there what they say.
func DropTrailers(res *http.Response, drop func(name string) bool) {
	if res.StatusCode == http.StatusSwitchingProtocols { // its body is the connection
		return
	}
	body := trailed{res.Body, res, drop}
	body.tidy() // those that were announced
	res.Body = body
}

// A trailed is a body that has a trailer, which is there once the body was read: with fields that nobody announced.
type trailed struct {
	io.ReadCloser
	of   *http.Response
	drop func(name string) bool
}

// Close implements io.Closer.
func (t trailed) Close() error {
	err := t.ReadCloser.Close()
	t.tidy()
	return err
}

func (t trailed) tidy() {
	for name := range t.of.Trailer {
		if t.drop(name) {
			delete(t.of.Trailer, name)
		}
	}
}
