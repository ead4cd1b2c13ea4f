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
	head := append(append(append(text, req.Method...), ' '), target...)
	head = append(append(head, " HTTP/1.1"...), plainhttp.LineEnd...)
	head = plainhttp.AppendField(head, "Host", req.URL.Host)
	head = plainhttp.AppendField(head, "User-Agent", "Go-http-client/1.1")
	if req.ContentLength > 0 || slices.Contains([]string{http.MethodPost, http.MethodPut, http.MethodPatch}, req.Method) {
		head = plainhttp.AppendLength(head, req.ContentLength)
	}
	head, ok := plainhttp.AppendHeader(head, req.Header)
	if !ok {
		return text, false, nil
	}
	return appendBody(append(head, plainhttp.LineEnd...), req)
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
		(req.Body == nil || req.Body == http.NoBody) != (req.ContentLength == 0),
		u.Host == "", !plainhttp.Only(u.Host, plainhttp.Host), req.Method == "", !plainhttp.Only(req.Method, inMethod):
		return false
	}
	for name := range req.Header {
		switch name {
		case "Host", "User-Agent", "Content-Length", "Transfer-Encoding", "Trailer":
			return false // net/http has its own
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
