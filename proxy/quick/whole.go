package quick

import (
	"context"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"portico/proxy/plainhttp"
)

// HTTP returns the request as net/http would read it (FuzzRequest), for a handler. It is the caller's: nothing in
// it is the connection's.
func (r *Request) HTTP(ctx context.Context) *http.Request {
	text := string(r.came)
	header, host := headerIn(text[r.lines:r.body-len(plainhttp.LineEnd)], r.Headers)
	path := r.lines - len(version) - r.URLLength()
	read := http.Request{
		Method: r.Method, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header, Host: host,
		RequestURI: text[path : path+r.URLLength()], RemoteAddr: r.Remote(),
		URL:  &url.URL{Path: text[path : path+len(r.Path)], ForceQuery: r.Query != nil && len(r.Query) == 0},
		Body: http.NoBody, ContentLength: int64(max(r.length, 0)),
	}
	if r.Query != nil {
		read.URL.RawQuery = text[path+len(r.Path)+1 : path+r.URLLength()]
	}
	if r.length > 0 {
		body := &memory{}
		body.Reset(text[r.body:])
		read.Body = body
	}
	return read.WithContext(ctx)
}

// A memory is a body in memory.
type memory struct{ strings.Reader }

// Close implements io.Closer.
func (*memory) Close() error { return nil }

// headerIn returns what lines of headers say, and the host, which net/http keeps apart.
func headerIn(lines string, n int) (header http.Header, host string) {
	header = make(http.Header, n)
	values := make([]string, n) // as net/http has it: mostly there is one of each
	for line := range strings.SplitSeq(lines, plainhttp.LineEnd) {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			break // behind the last
		}
		name, value = textproto.CanonicalMIMEHeaderKey(name), strings.Trim(value, " ")
		if name == "Host" {
			host = value
			continue
		}
		before := header[name]
		if before != nil {
			header[name] = append(before, value)
			continue
		}
		values[0] = value
		header[name], values = values[:1:1], values[1:]
	}
	if header["Pragma"] != nil && header["Pragma"][0] == "no-cache" && header["Cache-Control"] == nil {
		header["Cache-Control"] = []string{"no-cache"} // as net/http does
	}
	return header, host
}
