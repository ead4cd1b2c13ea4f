package upstream

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"

	"portico/proxy/plainhttp"
)

// What may stand in the first line of a request that is written here.
var (
	inMethod = plainhttp.Among("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	inTarget = plainhttp.Alphanumeric("/-._~%?=&+,:@")
)

// maxHeaders is how many headers a request has at most that is written here.
const maxHeaders = 16

// appendRequest appends a request as net/http writes it, to the byte (FuzzRequest); false of one that has
// anything that few have, whose body is then as it was. Its body is read and closed.
//
// http.Request.Write takes 10 allocations and four times as long: it writes in many pieces, and is ready for bodies
// of any kind and for whoever traces it.
func appendRequest(text []byte, req *http.Request) ([]byte, bool, error) {
	target := targetOf(req.URL)
	if !isPlainRequest(req) || !plainhttp.Only(target, inTarget) {
		return text, false, nil
	}
	text = append(text, req.Method...)
	text = append(text, ' ')
	text = append(text, target...)
	text = append(append(text, " HTTP/1.1"...), plainhttp.LineEnd...)
	text = plainhttp.AppendField(text, "Host", req.URL.Host)
	text = plainhttp.AppendField(text, "User-Agent", "Go-http-client/1.1")
	if req.ContentLength > 0 || slices.Contains([]string{http.MethodPost, http.MethodPut, http.MethodPatch}, req.Method) {
		text = plainhttp.AppendLength(text, req.ContentLength)
	}
	var room [maxHeaders]string
	names := room[:0]
	for name := range req.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range req.Header[name] {
			text = plainhttp.AppendField(text, name, value)
		}
	}
	return appendBody(append(text, plainhttp.LineEnd...), req)
}

func targetOf(u *url.URL) string {
	if u.RawQuery == "" && u.RawPath == "" && !u.ForceQuery && u.Path != "" && plainhttp.Only(u.Path, inTarget) && u.Opaque == "" {
		return u.Path
	}
	return u.RequestURI()
}

// appendBody appends the body of a request, of which as much must come as is announced.
func appendBody(text []byte, req *http.Request) ([]byte, bool, error) {
	if req.Body == nil {
		return text, true, nil
	}
	defer req.Body.Close()
	head := len(text)
	text = append(text, make([]byte, req.ContentLength)...)
	_, err := io.ReadFull(req.Body, text[head:])
	if err != nil {
		return nil, false, fmt.Errorf("read what is to be sent: %w", err)
	}
	return text, true, nil
}

// isPlainRequest reports whether there is nothing to a request that is not written here.
func isPlainRequest(req *http.Request) bool {
	u := req.URL
	switch {
	case req.Close, req.TransferEncoding != nil, req.Trailer != nil, req.Host != "" && req.Host != u.Host, req.ContentLength < 0,
		len(req.Header) > maxHeaders, (req.Body == nil || req.Body == http.NoBody) != (req.ContentLength == 0),
		u.Host == "", !plainhttp.Only(u.Host, plainhttp.Host), req.Method == "", !plainhttp.Only(req.Method, inMethod):
		return false
	}
	for name, values := range req.Header {
		if !isPlainHeader(name, values) {
			return false
		}
	}
	return true
}

// isPlainHeader reports whether net/http writes a header of a request as it is.
func isPlainHeader(name string, values []string) bool {
	switch name {
	case "", "Host", "User-Agent", "Content-Length", "Transfer-Encoding", "Trailer":
		return false
	}
	if !plainhttp.Only(name, plainhttp.Name) {
		return false
	}
	for _, value := range values {
		if !plainhttp.Only(value, plainhttp.Value) || value != "" && (value[0] == ' ' || value[len(value)-1] == ' ') {
			return false
		}
	}
	return true
}

// SetBody gives a request a body in memory, which can be had again.
func SetBody(req *http.Request, text []byte) {
	req.ContentLength = int64(len(text))
	req.GetBody = func() (io.ReadCloser, error) { return newMemory(text), nil }
	req.Body = newMemory(text)
}

// A memory is a body in memory: http.NewRequest takes two more pieces of it for one.
type memory struct{ bytes.Reader }

func newMemory(text []byte) *memory {
	m := &memory{}
	m.Reset(text)
	return m
}

// Close implements io.Closer.
func (*memory) Close() error { return nil }
