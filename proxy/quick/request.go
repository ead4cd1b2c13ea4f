package quick

import (
	"bytes"
	"context"
	"net"
	"net/http"

	"portico/proxy/plainhttp"
)

// A Request is a GET or POST of HTTP/1.1 as it came, with its body. Its fields are the connection's, and nobody
// keeps them. A header that did not come is nil.
type Request struct {
	Method         string // GET or POST
	Path, Query    []byte // of the target, as they came: without escapes
	Host           []byte
	Cookie         []byte
	Authorization  []byte
	AcceptEncoding []byte
	IfNoneMatch    []byte
	RequestID      []byte // X-Request-Id
	ForwardedFor   []byte // X-Forwarded-For
	Headers        int

	// Of a POST.

	Origin      []byte
	FetchSite   []byte // Sec-Fetch-Site
	ContentType []byte
	Traced      bool // there is a Traceparent

	came   []byte // all of it
	lines  int    // where in it the headers begin
	body   int    // and the body
	length int    // that was announced; -1: none was
	from   Peer
}

// A Peer is where requests come from.
type Peer interface{ RemoteAddr() net.Addr }

// Remote returns the address of the peer, as host:port.
func (r *Request) Remote() string { return r.from.RemoteAddr().String() }

// Context returns that of the connection, as Keep was told it.
func (r *Request) Context() context.Context {
	conn, ok := r.from.(*Conn)
	if !ok {
		return context.Background()
	}
	return conn.context
}

// Body returns the body.
func (r *Request) Body() []byte { return r.came[r.body:] }

// URLLength returns how long the target of the request is, in bytes.
func (r *Request) URLLength() int {
	if r.Query == nil {
		return len(r.Path)
	}
	return len(r.Path) + 1 + len(r.Query)
}

// What may stand in a target that is answered here: nothing that is escaped, or that two readers could take apart in
// two ways.
var (
	inTarget = plainhttp.Alphanumeric("/-._~*,=&?")
	inPath   = plainhttp.Alphanumeric("/-._")
)

var version = []byte(" HTTP/1.1" + plainhttp.LineEnd)

// Parse reads a request that is all of came; false if it is none that may be answered here. What it takes net/http
// takes, and reads in the same way (FuzzRequest): letters, digits and a few signs in the target, plain fields, and of
// a GET those alone that are known to change no answer or are read here, each of these once. A POST is only ever
// answered by somebody who sees all its headers, or knows which of them count.
func (r *Request) Parse(came []byte, from Peer) bool {
	*r = Request{came: came, length: -1, from: from}
	lines, ok := r.first(came)
	if !ok {
		return false
	}
	r.lines = len(came) - len(lines)
	in := plainhttp.ReadFields(lines)
	for seen := have(0); in.Next(); {
		if !r.field(&in, &seen) {
			return false
		}
	}
	body, ok := in.End()
	r.body = len(came) - len(body)
	return ok && r.Host != nil && len(body) == max(r.length, 0) && (r.Method == http.MethodPost) == (r.length >= 0)
}

// first reads the first line, and returns what follows.
func (r *Request) first(came []byte) (lines []byte, ok bool) {
	rest, ok := r.method(came)
	if !ok {
		return nil, false
	}
	end := plainhttp.Span(rest, inTarget)
	lines, ok = bytes.CutPrefix(rest[end:], version)
	return lines, ok && r.target(rest[:end])
}

// method reads the method, and returns what follows.
func (r *Request) method(came []byte) (rest []byte, ok bool) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if len(came) > len(method) && string(came[:len(method)]) == method && came[len(method)] == ' ' {
			r.Method = method
			return came[len(method)+1:], true
		}
	}
	return nil, false
}

// target reads path and query.
func (r *Request) target(target []byte) bool {
	r.Path = target
	at := bytes.IndexByte(target, '?')
	if at >= 0 {
		r.Path, r.Query = target[:at], target[at+1:]
	}
	begins := len(r.Path) > 0 && r.Path[0] == '/' && !bytes.Contains(r.Path, []byte("//"))
	return begins && plainhttp.Only(r.Path, inPath) && bytes.IndexByte(r.Query, '?') < 0
}

// have are the headers that may come once.
type have uint16

const (
	haveHost have = 1 << iota
	haveCookie
	haveAuthorization
	haveEncoding
	haveMatch
	haveID
	haveForwarded
	haveConnection
	haveLength
	haveOrigin
	haveSite
	haveType
)

// field reads a field; false if it says anything that is not known here.
func (r *Request) field(in *plainhttp.Fields, seen *have) bool {
	r.Headers++
	name, value := in.Known(), in.Value
	once := func(one have, into *[]byte) bool {
		was := *seen
		*seen |= one
		*into = value
		return was&one == 0
	}
	switch string(name) {
	case "host":
		return once(haveHost, &r.Host) && len(value) > 0 && plainhttp.Only(value, plainhttp.Host)
	case "cookie":
		return once(haveCookie, &r.Cookie)
	case "authorization":
		return once(haveAuthorization, &r.Authorization)
	case "accept-encoding":
		return once(haveEncoding, &r.AcceptEncoding)
	case "if-none-match":
		return once(haveMatch, &r.IfNoneMatch)
	case "x-request-id":
		return once(haveID, &r.RequestID)
	case "x-forwarded-for":
		return once(haveForwarded, &r.ForwardedFor)
	case "connection":
		return once(haveConnection, &value) && bytes.EqualFold(value, []byte("keep-alive"))
	case "content-length":
		return once(haveLength, &value) && r.announced(value)
	case "sec-fetch-site":
		return once(haveSite, &r.FetchSite)
	case "expect", "http2-settings", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade":
		return false // they are for the connection
	}
	if r.Method == http.MethodPost {
		return r.more(name, value, once)
	}
	return changesNothing(name)
}

// changesNothing reports whether nobody reads a field, or not of a GET.
func changesNothing(name []byte) bool {
	switch string(name) {
	case "accept", "accept-language", "cache-control", "dnt", "forwarded", "pragma", "priority", "referer", "user-agent", "via",
		"sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform", "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-user", "sec-gpc",
		"x-csrf-token", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto", "x-forwarded-scheme", "x-real-ip", "x-requested-with":
		return true
	}
	return false
}

// more reads a field that counts for a POST alone.
func (r *Request) more(name, value []byte, once func(have, *[]byte) bool) bool {
	switch string(name) {
	case "origin":
		return once(haveOrigin, &r.Origin)
	case "content-type":
		return once(haveType, &r.ContentType)
	case "traceparent":
		r.Traced = true
	}
	return true
}

// announced reads how long the body is to be.
func (r *Request) announced(value []byte) (ok bool) {
	r.length, ok = plainhttp.Length(value)
	return ok
}
