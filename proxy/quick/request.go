package quick

import "bytes"

// A Request is a GET of HTTP/1.1 as it came. Its fields are the connection's, and nobody keeps them. A header
// that did not come is nil.
type Request struct {
	Path, Query    []byte // of the target, as they came: without escapes
	Cookie         []byte
	Authorization  []byte
	AcceptEncoding []byte
	IfNoneMatch    []byte
	RequestID      []byte // X-Request-Id
	ForwardedFor   []byte // X-Forwarded-For
	Headers        int

	conn *Conn
}

// Remote returns the address of the peer, as host:port.
func (r *Request) Remote() string { return r.conn.RemoteAddr().String() }

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
	beginning = []byte("GET /")
	version   = []byte(" HTTP/1.1\r\n")
	lineEnd   = []byte("\r\n")
	headEnd   = []byte("\r\n\r\n")
)

// parse reads a request that is all of head; false if it is none that may be answered here. What it takes
// net/http takes, and reads in the same way (FuzzRequest): letters, digits and a few signs in the target, names
// of headers that are known to change no answer or are read here, each of those once, and values of visible
// ASCII.
func (r *Request) parse(head []byte) bool {
	*r = Request{}
	if !bytes.HasPrefix(head, beginning) || !bytes.HasSuffix(head, headEnd) {
		return false
	}
	target := len(beginning) - 1
	end := target + spanOf(head[target:], inTarget)
	if !bytes.HasPrefix(head[end:], version) {
		return false
	}
	r.Path = head[target:end]
	at := bytes.IndexByte(r.Path, '?')
	if at >= 0 {
		r.Path, r.Query = r.Path[:at], r.Path[at+1:]
	}
	if bytes.IndexByte(r.Query, '?') >= 0 || spanOf(r.Path, inPath) != len(r.Path) || bytes.Contains(r.Path, []byte("//")) {
		return false
	}
	seen := have(0)
	for rest := head[end+len(version):]; ; {
		if len(rest) == len(lineEnd) { // head ends with an empty line
			return seen&haveHost != 0
		}
		line := bytes.IndexByte(rest, '\r')
		if line < 0 || rest[line+1] != '\n' || !r.header(rest[:line], &seen) {
			return false
		}
		rest = rest[line+len(lineEnd):]
		if len(rest) < len(lineEnd) {
			return false
		}
	}
}

// have are the headers that may come once.
type have uint8

const (
	haveHost have = 1 << iota
	haveCookie
	haveAuthorization
	haveEncoding
	haveMatch
	haveID
	haveForwarded
	haveConnection
)

// header reads a line; false if there is anything in it that is not known here.
func (r *Request) header(line []byte, seen *have) bool {
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 || colon > maxName {
		return false
	}
	value := bytes.Trim(line[colon+1:], " ")
	if spanOf(value, inValue) != len(value) {
		return false
	}
	var lower [maxName]byte
	for i, c := range line[:colon] {
		if kinds[c]&inName == 0 {
			return false
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		lower[i] = c
	}
	r.Headers++
	once := func(one have, into *[]byte) bool {
		was := *seen
		*seen |= one
		*into = value
		return was&one == 0
	}
	switch string(lower[:colon]) {
	case "host":
		return once(haveHost, &value) && len(value) > 0 && spanOf(value, inHost) == len(value)
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
	case "accept", "accept-language", "cache-control", "dnt", "forwarded", "pragma", "priority", "referer", "user-agent", "via",
		"sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform", "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site", "sec-fetch-user", "sec-gpc",
		"x-csrf-token", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto", "x-forwarded-scheme", "x-real-ip", "x-requested-with":
		return true // nobody reads them, or not of a GET
	}
	return false
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
