package quick

import (
	"bytes"
	"net"
	"net/http"
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

// Body returns the body.
func (r *Request) Body() []byte { return r.came[r.body:] }

// URLLength returns how long the target of the request is, in bytes.
func (r *Request) URLLength() int {
	if r.Query == nil {
		return len(r.Path)
	}
	return len(r.Path) + 1 + len(r.Query)
}

// maxName is how long the name of a header is at most that is known here.
const maxName = 32

var (
	version = []byte(" HTTP/1.1\r\n")
	lineEnd = []byte("\r\n")
)

// Parse reads a request that is all of came; false if it is none that may be answered here. What it takes net/http
// takes, and reads in the same way (FuzzRequest): letters, digits and a few signs in the target, values of visible
// ASCII, and of a GET names of headers that are known to change no answer or are read here, each of those once. A
// POST is only ever answered by somebody who sees all its headers, or knows which of them count.
func (r *Request) Parse(came []byte, from Peer) bool {
	*r = Request{came: came, length: -1, from: from}
	rest, ok := r.method(came)
	if !ok {
		return false
	}
	end := spanOf(rest, inTarget)
	if end == 0 || rest[0] != '/' || !r.target(rest[:end]) || !bytes.HasPrefix(rest[end:], version) {
		return false
	}
	rest = rest[end+len(version):]
	r.lines = len(came) - len(rest)
	seen := have(0)
	for !bytes.HasPrefix(rest, lineEnd) {
		end = bytes.Index(rest, lineEnd)
		if end < 0 || !r.header(rest[:end], &seen) {
			return false
		}
		rest = rest[end+len(lineEnd):]
	}
	r.body = len(came) - len(rest) + len(lineEnd)
	return seen&haveHost != 0 && len(came)-r.body == max(r.length, 0) && (r.Method == http.MethodPost) == (r.length >= 0)
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
	return bytes.IndexByte(r.Query, '?') < 0 && spanOf(r.Path, inPath) == len(r.Path) && !bytes.Contains(r.Path, []byte("//"))
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

// header reads a line; false if there is anything in it that is not known here.
func (r *Request) header(line []byte, seen *have) bool {
	var lower [maxName]byte
	name, value, ok := cut(line, &lower)
	if !ok {
		return false
	}
	r.Headers++
	once := func(one have, into *[]byte) bool {
		was := *seen
		*seen |= one
		*into = value
		return was&one == 0
	}
	switch string(name) {
	case "host":
		return once(haveHost, &r.Host) && len(value) > 0 && spanOf(value, inHost) == len(value)
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
	case "sec-fetch-site":
		return once(haveSite, &r.FetchSite)
	case "accept", "accept-language", "cache-control", "dnt", "forwarded", "pragma", "priority", "referer", "user-agent", "via",
		"sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform", "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-user", "sec-gpc",
		"x-csrf-token", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto", "x-forwarded-scheme", "x-real-ip", "x-requested-with":
		return true // nobody reads them, or not of a GET
	case "content-length":
		return once(haveLength, &value) && r.announced(value)
	case "expect", "http2-settings", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade":
		return false // they are for the connection
	}
	return r.Method == http.MethodPost && r.more(name, value, once)
}

// more reads a header that counts for a POST alone.
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

// cut returns the name of a header, in lower, and its value.
func cut(line []byte, lower *[maxName]byte) (name, value []byte, ok bool) {
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 || colon > maxName {
		return nil, nil, false
	}
	value = bytes.Trim(line[colon+1:], " ")
	for i, c := range line[:colon] {
		if kinds[c]&inName == 0 {
			return nil, nil, false
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		lower[i] = c
	}
	return lower[:colon], value, spanOf(value, inValue) == len(value)
}

// announced reads how long the body is to be.
func (r *Request) announced(value []byte) bool {
	const longest = 6 // digits: more than is ever read at once
	if len(value) == 0 || len(value) > longest {
		return false
	}
	r.length = 0
	for _, c := range value {
		if c < '0' || c > '9' {
			return false
		}
		r.length = 10*r.length + int(c-'0')
	}
	return true
}

// kinds tells of each byte where it may stand.
var kinds = func() (all [256]uint8) {
	allow := func(kind uint8, bytes string) {
		for i := range len(bytes) {
			all[bytes[i]] |= kind
		}
	}
	for c := byte('0'); c <= 'z'; c++ {
		if c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' {
			all[c] |= inTarget | inPath | inName | inHost
		}
	}
	for c := byte(' '); c <= '~'; c++ {
		all[c] |= inValue
	}
	allow(inTarget, "/-._~*,=&?")
	allow(inPath, "/-._")
	allow(inName, "-")
	allow(inHost, "-.:[]")
	return all
}()

// Where a byte may stand.
const (
	inTarget uint8 = 1 << iota
	inPath
	inName
	inHost
	inValue
)

// spanOf returns how many bytes text begins with that may stand there.
func spanOf(text []byte, kind uint8) int {
	for i, c := range text {
		if kinds[c]&kind == 0 {
			return i
		}
	}
	return len(text)
}
