package quick

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const plainHead = "GET /api/v2/me?subresources=devices,channels HTTP/1.1\r\nHost: portico.example:8080\r\nCookie: a=b; JSESSIONID=ABC\r\n" +
	"Accept-Encoding: gzip, br\r\nIf-None-Match: W/\"x\", \"y\"\r\nX-Request-Id: 1-2_3.4\r\nAuthorization: Basic YTpi\r\n" +
	"X-Forwarded-For: 10.0.0.1, ::1\r\nconnection: Keep-Alive\r\nUser-Agent:  a (b) \r\n\r\n"

// nowhere is where the requests come from.
var nowhere, _ = net.Pipe()

func TestPlainRequestIsRead(t *testing.T) {
	var r Request
	if !r.Parse([]byte(plainHead), nowhere) {
		t.Fatal("a plain request is not read")
	}
	for what, got := range map[string][]byte{"/api/v2/me": r.Path, "subresources=devices,channels": r.Query, "a=b; JSESSIONID=ABC": r.Cookie,
		"gzip, br": r.AcceptEncoding, `W/"x", "y"`: r.IfNoneMatch, "1-2_3.4": r.RequestID, "Basic YTpi": r.Authorization, "10.0.0.1, ::1": r.ForwardedFor} {
		if string(got) != what {
			t.Errorf("read %q; want %q", got, what)
		}
	}
	if want := len("/api/v2/me?subresources=devices,channels"); r.Headers != 9 || r.URLLength() != want {
		t.Errorf("%d headers, a URL of %d bytes; want 9, %d", r.Headers, r.URLLength(), want)
	}
}

func TestDoubtfulRequestsAreLeftToNetHTTP(t *testing.T) {
	const rest = " HTTP/1.1\r\nHost: a\r\n"
	for _, head := range []string{
		"", "G", "GET", "GET /", "GET /\r\n\r\n", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\n\r\n", "GET /" + rest,
		"POST /" + rest + "\r\n", "POST /" + rest + "Content-Length: 1\r\n\r\n", "POST /" + rest + "Content-Length: 1\r\n\r\nab", "POST /" + rest + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
		"POST /" + rest + "Content-Length: +1\r\n\r\na", "POST /" + rest + "Content-Length: 1, 1\r\n\r\na", "POST /" + rest + "Content-Length: \r\n\r\n", "POST /" + rest + "Content-Length: 0000001\r\n\r\na",
		"POST /" + rest + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\na", "POST /" + rest + "Content-Length: 1\r\nExpect: 100-continue\r\n\r\na", "POST /" + rest + "Content-Length: 1\r\nConnection: close\r\n\r\na",
		"HEAD /" + rest + "\r\n", "get /" + rest + "\r\n", "\r\nGET /" + rest + "\r\n",
		"GET / HTTP/1.0\r\nHost: a\r\n\r\n", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET http://b/" + rest + "\r\n", "GET /%6de" + rest + "\r\n", "GET /*" + rest + "\r\n", "GET //me" + rest + "\r\n", "GET /a?b?c" + rest + "\r\n", "GET /a#b" + rest + "\r\n", "GET /a;b" + rest + "\r\n", "GET /?a=%31" + rest + "\r\n", "GET /?a+b" + rest + "\r\n",
		"GET / HTTP/1.1\nHost: a\n\n", "GET /" + rest + "Accept: a\n\r\n", "GET /" + rest + "Accept: a\r\r\n\r\n", "GET /" + rest + "Accept: a\r\n b\r\n\r\n",
		"GET /" + rest + "Host: a\r\n\r\n", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
		"GET /" + rest + "Cookie: a=b\r\nCookie: c=d\r\n\r\n", "GET /" + rest + "Authorization: a\r\nauthorization: a\r\n\r\n",
		"GET /" + rest + "Accept : a\r\n\r\n", "GET /" + rest + ": a\r\n\r\n", "GET /" + rest + "Accept\r\n\r\n", "GET /" + rest + " Accept: a\r\n\r\n",
		"GET /" + rest + "Accept: \x00\r\n\r\n", "GET /" + rest + "Accept: \xe4\r\n\r\n", "GET /" + rest + "Accept: a\tb\r\n\r\n",
		"GET /" + rest + "Content-Length: 0\r\n\r\n", "GET /" + rest + "Transfer-Encoding: chunked\r\n\r\n", "GET /" + rest + "Expect: 100-continue\r\n\r\n",
		"GET /" + rest + "Connection: close\r\n\r\n", "GET /" + rest + "Connection: keep-alive\r\nConnection: close\r\n\r\n", "GET /" + rest + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
		"GET /" + rest + "Origin: http://a\r\n\r\n", "GET /" + rest + "Traceparent: 00-a-b-01\r\n\r\n", "GET /" + rest + "X-Unknown: a\r\n\r\n", "GET /" + rest + "Range: bytes=0-1\r\n\r\n",
		"GET /" + rest + "\r\nG", "GET /" + rest + "\r\n\r\n", "GET /" + rest + "\r\nGET /" + rest + "\r\n",
		"GET /" + rest + strings.Repeat("a", 33) + ": a\r\n\r\n",
	} {
		var r Request
		if r.Parse([]byte(head), nowhere) {
			t.Errorf("%q is read", head)
		}
	}
}

// FuzzRequest holds the parser to net/http: what it takes a server takes, reads in the same way, and has
// nothing left of.
func FuzzRequest(f *testing.F) {
	for _, head := range []string{plainHead, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a?b HTTP/1.1\r\nhOST: [::1]:80\r\nVia:\r\nDNT:  \r\n\r\n",
		"GET /? HTTP/1.1\r\nHost: -\r\nAccept: */*\r\n\r\n", "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
		"POST /me? HTTP/1.1\r\nHost: a\r\nCookie: a\r\nx-y: 1\r\nX-Y: 2\r\nContent-Length: 0\r\nPragma: no-cache\r\n\r\n",
		"POST /c HTTP/1.1\r\nHost: a\r\nOrigin: http://a\r\nSec-Fetch-Site: same-origin\r\nContent-Type: text/x; q=1\r\nTraceparent: 00\r\nContent-Length: 2\r\n\r\n[]", "GET / HTTP/1.1\r\nHost: a\r\nPragma: no-cache\r\n\r\n"} {
		f.Add([]byte(head))
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		var ours Request
		if !ours.Parse(head, nowhere) {
			return
		}
		theirs := served(t, head)
		if theirs == nil {
			t.Fatalf("net/http does not take %q", head)
		}
		got, want := seenIn(ours.HTTP(t.Context())), seenIn(theirs)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-net/http, +ours):\n%s", head, diff)
		}
		if theirs.URL.Path != string(ours.Path) || theirs.URL.RawQuery != string(ours.Query) || len(theirs.RequestURI) != ours.URLLength() || theirs.Method != ours.Method {
			t.Errorf("%q is for %s %q and %q; net/http says %+v", head, ours.Method, ours.Path, ours.Query, theirs)
		}
		headers := 1 // Host
		for _, values := range theirs.Header {
			headers += len(values)
		}
		if theirs.Header["Pragma"] != nil && !bytes.Contains(bytes.ToLower(head), []byte("\ncache-control")) && theirs.Header["Cache-Control"] != nil {
			headers-- // net/http makes it of the other
		}
		if headers != ours.Headers {
			t.Errorf("%q has %d headers; net/http says %d", head, ours.Headers, headers)
		}
		for name, got := range read(&ours) {
			if string(got) != textproto.TrimString(theirs.Header.Get(name)) || len(theirs.Header[name]) > 1 {
				t.Errorf("%q has %s %q; net/http says %q", head, name, got, theirs.Header[name])
			}
		}
		if ours.Traced != (theirs.Header["Traceparent"] != nil) || string(ours.Host) != theirs.Host {
			t.Errorf("%q is for %q, traced %v; net/http says %q", head, ours.Host, ours.Traced, theirs.Host)
		}
		if ours.Method == http.MethodPost && string(ours.ContentType) != textproto.TrimString(theirs.Header.Get("Content-Type")) {
			t.Errorf("%q is %q; net/http says %q", head, ours.ContentType, theirs.Header["Content-Type"])
		}
		never := []string{"Expect", "Upgrade", "Te", "Transfer-Encoding", "Trailer"}
		if ours.Method == http.MethodGet {
			never = append(never, "Origin", "Traceparent", "Content-Length", "Range")
		}
		for _, name := range never {
			if theirs.Header[name] != nil {
				t.Errorf("%q is taken with %s", head, name)
			}
		}
	})
}

// seen is what a handler sees of a request.
type seen struct {
	Method, Proto, URI, Host, Body string
	URL                            url.URL
	Header                         http.Header
	Length                         int64
	Major, Minor                   int
	Close                          bool
	Encoding                       []string
	Trailer                        http.Header
}

func seenIn(r *http.Request) seen {
	body, _ := io.ReadAll(r.Body)
	return seen{r.Method, r.Proto, r.RequestURI, r.Host, string(body), *r.URL, r.Header, r.ContentLength, r.ProtoMajor, r.ProtoMinor, r.Close, r.TransferEncoding, r.Trailer}
}

// read returns what a request says, by the names that net/http has for it.
func read(r *Request) map[string][]byte {
	return map[string][]byte{"Cookie": r.Cookie, "Authorization": r.Authorization, "Accept-Encoding": r.AcceptEncoding,
		"If-None-Match": r.IfNoneMatch, "X-Request-Id": r.RequestID, "X-Forwarded-For": r.ForwardedFor, "Origin": r.Origin, "Sec-Fetch-Site": r.FetchSite}
}

// served returns what a server of net/http makes of the bytes, nil if that is not one request and all of them.
func served(t *testing.T, head []byte) *http.Request {
	ours, theirs := net.Pipe()
	got := make(chan *http.Request, 2)
	server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		got <- r
	})}
	listener := newOne(theirs)
	ended := make(chan struct{})
	go func() { _ = server.Serve(listener); close(ended) }()
	go func() { _, _ = ours.Write(head) }()
	answers := bufio.NewReader(ours)
	answer, err := http.ReadResponse(answers, nil)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("net/http answers %q with %v, %v", head, answer, err)
		close(got)
		got = nil
	}
	_, _ = ours.Write([]byte("x")) // is taken for the next request's first byte if nothing is left
	_ = ours.Close()
	_ = server.Close()
	<-ended
	_, err = io.Copy(io.Discard, answers)
	if got == nil || len(got) != 1 || err != nil && !strings.Contains(err.Error(), "closed") {
		return nil
	}
	return <-got
}

// one is a listener of the connections that it is given.
type one struct {
	conns  chan net.Conn
	closed chan struct{}
	close  func()
}

func newOne(conns ...net.Conn) *one {
	l := &one{conns: make(chan net.Conn, len(conns)), closed: make(chan struct{})}
	l.close = sync.OnceFunc(func() { close(l.closed) })
	for _, conn := range conns {
		l.conns <- conn
	}
	return l
}

func (l *one) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *one) Close() error {
	l.close()
	return nil
}

func (l *one) Addr() net.Addr { return &net.TCPAddr{} }

func BenchmarkParse(b *testing.B) {
	head := bytes.Clone([]byte(plainHead))
	var r Request
	b.ReportAllocs()
	for b.Loop() {
		if !r.Parse(head, nowhere) {
			b.Fatal("not read")
		}
	}
}
