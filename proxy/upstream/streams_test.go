package upstream

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"portico/proxy/fault"
	"portico/proxy/upstream/memhttp"
)

// streaming is a caller whose streams have connections of their own.
func streaming(t *testing.T, server *httptest.Server) (*Caller, *Metrics) {
	t.Helper()
	transport := newTransport(t)
	trusting, ok := server.Client().Transport.(*http.Transport)
	if ok {
		transport.TLSClientConfig = trusting.TLSClientConfig
	}
	caller, metrics := newCaller(t, transport)
	caller.Streams = &Streams{Transport: transport}
	return caller, metrics
}

// untilLeft answers with one byte, after an answer that only announces it, and reports when the caller has left.
func untilLeft(left chan<- struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		_, _ = io.WriteString(w, ".")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		left <- struct{}{}
	}
}

func TestStreamsNeedNothingButTheirReader(t *testing.T) {
	for name, start := range map[string]func(http.Handler) *httptest.Server{"http": httptest.NewServer, "https": httptest.NewTLSServer} {
		t.Run(name, func(t *testing.T) {
			left := make(chan struct{}, 1)
			server := start(untilLeft(left))
			defer server.Close()
			caller, metrics := streaming(t, server)
			reply, stream, err := caller.Open(t.Context(), newRequest(t, t.Context(), server.URL), "get", 100, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			defer stream.Close()
			p := make([]byte, 10)
			n, err := stream.Read(p)
			if reply.Status != http.StatusOK || n != 1 || err != nil {
				t.Errorf("Read of a %d = %q, %v; want one byte of a 200", reply.Status, p[:n], err)
			}
			for deadline := time.Now().Add(10 * time.Second); besides(); time.Sleep(time.Millisecond) { // those of earlier tests end
				if time.Now().After(deadline) {
					t.Fatal("goroutines of http.Transport run beside an open stream; want none")
				}
			}
			if got := testutil.ToFloat64(metrics.connections.WithLabelValues("pc", "false")); got != 1 {
				t.Errorf("new connections counted = %v; want 1", got)
			}
			_ = stream.Close()
			<-left
		})
	}
}

// A session is told the whole catalogue at once, and little from then on.
func TestStreamsOverTLSWaitWithoutBuffer(t *testing.T) {
	catalogue, event := strings.Repeat("c", 12<<10), "event"
	next := make(chan struct{})
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, part := range []string{catalogue, event, catalogue, event} {
			_, _ = io.WriteString(w, part)
			_ = http.NewResponseController(w).Flush()
			<-next
		}
	}))
	defer server.Close()
	caller, _ := streaming(t, server)
	_, stream, err := caller.Open(t.Context(), newRequest(t, t.Context(), server.URL), "get", 100, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	buffer := bufferOf(stream.own.from.conn)
	if buffer == nil {
		t.Fatal("this Go keeps the buffer of a tls.Conn elsewhere: streams over TLS keep theirs while they wait")
	}
	for _, want := range []string{catalogue, event, catalogue, event} {
		var got strings.Builder
		for got.Len() < len(want) {
			stream.Wait()
			_, err = io.CopyN(&got, stream, 1)
			for err == nil && got.Len() < len(want) && !stream.IsQuiet() {
				_, err = io.CopyN(&got, stream, 1)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if got.String() != want {
			t.Errorf("the stream brought %d bytes, %.20q...; want %d, %.20q...", got.Len(), got.String(), len(want), want)
		}
		if want == event && buffer.Cap() > mostBuffered {
			t.Errorf("with an event the buffer has room for %d bytes; want at most %d", buffer.Cap(), mostBuffered)
		}
		next <- struct{}{}
	}
}

// besides reports whether goroutines of http.Transport run.
func besides() bool {
	all := make([]byte, 1<<20)
	return strings.Contains(string(all[:runtime.Stack(all, true)]), "persistConn")
}

func TestStreamsEndWithTheirRequest(t *testing.T) {
	left := make(chan struct{}, 1)
	server := httptest.NewServer(untilLeft(left))
	defer server.Close()
	caller, _ := streaming(t, server)
	ctx, cancel := context.WithCancel(t.Context())
	_, stream, err := caller.Open(ctx, newRequest(t, ctx, server.URL), "get", 100, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	time.AfterFunc(time.Millisecond, cancel)
	for err == nil {
		_, err = stream.Read(make([]byte, 10))
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Read = %v; want %v", err, context.Canceled)
	}
	<-left
}

func TestStreamsThatDoNotOpen(t *testing.T) {
	endless := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("x", maxHead))
	})
	for _, tt := range []struct {
		name   string
		url    func(plain *httptest.Server) string
		reason reason
	}{
		{"headers without end", func(plain *httptest.Server) string { return plain.URL }, reasonReset},
		{"no TLS where it is wanted", func(plain *httptest.Server) string { return strings.Replace(plain.URL, "http:", "https:", 1) }, reasonTLS},
		{"nobody listens", func(*httptest.Server) string { return refused(t) }, reasonConnect},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(endless)
			defer server.Close()
			caller, metrics := streaming(t, server)
			_, stream, err := caller.Open(t.Context(), newRequest(t, t.Context(), tt.url(server)), "get", 100, time.Minute)
			if stream != nil || !errors.Is(err, fault.Unreachable) {
				t.Errorf("Open = %v, %v; want %v", stream, err, fault.Unreachable)
			}
			if got := testutil.ToFloat64(metrics.failures.WithLabelValues("pc", "get", string(tt.reason))); got != 1 {
				t.Errorf("failures counted as %s = %v; want 1", tt.reason, got)
			}
		})
	}
}

// TestHowStreamsEnd has a server that sends its answer in pieces, byte by byte, and ends it in every way there is.
func TestHowStreamsEnd(t *testing.T) {
	for _, tt := range []struct {
		name, answer, read string
		want               error
	}{
		{"in chunks, to the last one", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde", io.EOF},
		{"in chunks, with a trailer", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n", "abc", io.EOF},
		{"cut in a chunk", "Transfer-Encoding: chunked\r\n\r\n5\r\nabc", "abc", fault.BadUpstream},
		{"cut between chunks", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "abc", fault.BadUpstream},
		{"a chunk that is none", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nxyz\r\n", "abc", fault.BadUpstream},
		{"of a known length", "Content-Length: 5\r\n\r\nabcde", "abcde", io.EOF},
		{"of a known length, cut", "Content-Length: 5\r\n\r\nabc", "abc", fault.BadUpstream},
		{"to the connection's end", "\r\nabc", "abc", io.EOF},
	} {
		t.Run(tt.name, func(t *testing.T) {
			keeps := strings.HasPrefix(tt.answer, "Transfer-Encoding") && tt.want == io.EOF
			for _, waits := range []bool{false, true} {
				stream := openPieces(t, "HTTP/1.1 200 OK\r\n"+tt.answer, keeps)
				got, err := readOut(t, stream, waits)
				if string(got) != tt.read || !errors.Is(err, tt.want) {
					t.Errorf("read %q, %v; want %q, %v; waited for: %v", got, err, tt.read, tt.want, waits)
				}
				_, again := stream.Read(make([]byte, 10))
				if !errors.Is(again, tt.want) {
					t.Errorf("read again: %v; want %v", again, tt.want)
				}
			}
		})
	}
}

// openPieces opens a stream of a server that answers byte by byte.
func openPieces(t *testing.T, answer string, keeps bool) *EventStream {
	t.Helper()
	caller, _ := newCaller(t, newTransport(t))
	caller.Streams = &Streams{Transport: newTransport(t)}
	_, stream, err := caller.Open(t.Context(), newRequest(t, t.Context(), inPieces(t, answer, keeps)), "get", 100, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stream.Close() })
	return stream
}

// readOut reads a stream to its end, and waits for each piece before if it is to.
func readOut(t *testing.T, stream *EventStream, waits bool) ([]byte, error) {
	t.Helper()
	var got []byte
	for {
		if waits && stream.IsQuiet() {
			if stream.own.lent != nil {
				t.Error("a quiet stream has a buffer")
			}
			stream.Wait()
		}
		p := make([]byte, 10)
		n, err := stream.Read(p)
		got = append(got, p[:n]...)
		if err != nil {
			return got, err
		}
	}
}

// inPieces returns the URL of a server that answers one request byte by byte, and then closes the connection,
// or keeps it until the test ends.
func inPieces(t *testing.T, answer string, keeps bool) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	served := make(chan struct{})
	go func() {
		defer close(served)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = http.ReadRequest(bufio.NewReader(conn))
		for i := range len(answer) {
			_, _ = conn.Write([]byte{answer[i]})
		}
		if keeps {
			<-over
		}
	}()
	t.Cleanup(func() {
		close(over)
		_ = listener.Close()
		<-served
	})
	return "http://" + listener.Addr().String()
}

func TestStreamsThroughAProxy(t *testing.T) {
	asked := make(chan string, 1)
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.URL.String() }))
	defer proxy.Close()
	caller, _ := streaming(t, proxy)
	at, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	caller.Streams.(*Streams).Transport.Proxy = http.ProxyURL(at)
	_, stream, err := caller.Open(t.Context(), newRequest(t, t.Context(), "http://pc.example/events"), "get", 100, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	_ = stream.Close()
	if got := <-asked; got != "http://pc.example/events" {
		t.Errorf("the proxy was asked for %s", got)
	}
}

// overPipe is a caller whose streams come over a connection in memory, from a server that sends the head of an
// answer and what send sends.
func overPipe(t *testing.T, send func(net.Conn)) *Caller {
	t.Helper()
	caller, _ := newCaller(t, newTransport(t))
	caller.Streams = &Streams{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			_, _ = http.ReadRequest(bufio.NewReader(theirs))
			_, _ = io.WriteString(theirs, "HTTP/1.1 200 OK\r\n\r\n")
			send(theirs)
		}()
		return ours, nil
	}}}
	return caller
}

func TestAStreamThatIsWaitedForMayFallSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		caller := overPipe(t, func(conn net.Conn) {
			for range 5 {
				time.Sleep(time.Minute)
				_, _ = io.WriteString(conn, ".")
			}
		})
		_, stream, err := caller.Open(t.Context(), newRequest(t, t.Context(), "http://pc.example/"), "get", 100, 90*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Close()
		began := time.Now()
		got, err := readOut(t, stream, true)
		if string(got) != "....." || !errors.Is(err, errSilent) {
			t.Errorf("read %q, %v; want 5 bytes and %v", got, err, errSilent)
		}
		if lasted, want := time.Since(began), 5*time.Minute+90*time.Second; lasted != want {
			t.Errorf("the stream lasted %v; want %v", lasted, want)
		}
	})
}

func TestAStreamOutlivesItsOpening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		caller := overPipe(t, func(conn net.Conn) {
			time.Sleep(time.Hour)
			_, _ = io.WriteString(conn, ".")
			_ = conn.Close()
		})
		opening, over := context.WithCancel(t.Context())
		_, stream, err := caller.Open(opening, newRequest(t, t.Context(), "http://pc.example/"), "get", 100, 2*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Close()
		over()
		got, err := readOut(t, stream, true)
		if string(got) != "." || err != io.EOF {
			t.Errorf("read %q, %v after the opening; want one byte and the end", got, err)
		}
	})
}

func TestAnOpeningEndsWithItsContext(t *testing.T) {
	hang := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	synctest.Test(t, func(t *testing.T) {
		caller, _ := newCaller(t, memhttp.Network{"": hang})
		opening, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, stream, err := caller.Open(opening, newRequest(t, t.Context(), "http://pc.example/"), "get", 100, time.Minute)
		if stream != nil || err == nil || time.Since(began) != time.Second {
			t.Errorf("Open = %v, %v after %v; want an error after a second", stream, err, time.Since(began))
		}
	})
}
