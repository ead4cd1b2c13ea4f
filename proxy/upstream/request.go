package upstream

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
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
	if !isPlainRequest(req) || spanOf(target, inTarget) != len(target) {
		return text, false, nil
	}
	text = append(text, req.Method...)
	text = append(text, ' ')
	text = append(text, target...)
	text = appendHeader(append(text, " HTTP/1.1\r\n"...), "Host", req.URL.Host)
	text = appendHeader(text, "User-Agent", "Go-http-client/1.1")
	if req.ContentLength > 0 || slices.Contains([]string{http.MethodPost, http.MethodPut, http.MethodPatch}, req.Method) {
		text = append(text, "Content-Length: "...)
		text = append(strconv.AppendInt(text, req.ContentLength, 10), "\r\n"...)
	}
	var room [maxHeaders]string
	names := room[:0]
	for name := range req.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range req.Header[name] {
			text = appendHeader(text, name, value)
		}
	}
	return appendBody(append(text, "\r\n"...), req)
}

func targetOf(u *url.URL) string {
	if u.RawQuery == "" && u.RawPath == "" && !u.ForceQuery && u.Path != "" && spanOf(u.Path, inTarget) == len(u.Path) && u.Opaque == "" {
		return u.Path
	}
	return u.RequestURI()
}

func appendHeader(text []byte, name, value string) []byte {
	text = append(text, name...)
	text = append(text, ": "...)
	text = append(text, value...)
	return append(text, "\r\n"...)
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
		u.Host == "", spanOf(u.Host, inHost) != len(u.Host), req.Method == "", spanOf(req.Method, inMethod) != len(req.Method):
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
	if spanOf(name, inName) != len(name) {
		return false
	}
	for _, value := range values {
		if spanOf(value, inValue) != len(value) || value != "" && (value[0] == ' ' || value[len(value)-1] == ' ') {
			return false
		}
	}
	return true
}

// Where a byte may stand in what is written and read here.
const (
	inMethod uint8 = 1 << iota
	inTarget
	inHost
	inName
	inValue
)

var kinds = func() (all [256]uint8) {
	for c := byte(' '); c <= '~'; c++ {
		all[c] |= inValue
		switch {
		case c >= 'A' && c <= 'Z':
			all[c] |= inMethod | inTarget | inHost | inName
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-':
			all[c] |= inTarget | inHost | inName
		}
	}
	for kind, signs := range map[uint8]string{inTarget: "/._~%?=&+,:@", inHost: ".:[]", inName: "_"} {
		for i := range len(signs) {
			all[signs[i]] |= kind
		}
	}
	return all
}()

// spanOf returns how many bytes text begins with that may stand there.
func spanOf[T string | []byte](text T, kind uint8) int {
	for i := range len(text) {
		if kinds[text[i]]&kind == 0 {
			return i
		}
	}
	return len(text)
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
