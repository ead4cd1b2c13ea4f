package proxy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// send sends a request and returns the answer with its body unread.
func (c *caller) send(ctx context.Context, method, path string, body io.Reader, headers ...string) (*http.Response, error) {
	c.t.Helper()
	request, err := http.NewRequestWithContext(ctx, method, c.url+path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	headers = append(headers, c.headers...)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	return c.client.Do(request)
}

// must is send of what must be answered.
func (c *caller) must(method, path string, body io.Reader, headers ...string) *http.Response {
	c.t.Helper()
	response, err := c.send(c.t.Context(), method, path, body, headers...)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// documentSize is what large transfers carry: in memory it could not hide.
const documentSize = 100 << 20 // bytes

// document is the content of the site's documents, as its simulator documents it.
func document(size int64) io.Reader { return &pattern{left: size} }

type pattern struct{ at, left int64 }

func (p *pattern) Read(b []byte) (int, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(int64(len(b)), p.left)], repeated[p.at%int64(len(repeated)):])
	p.at, p.left = p.at+int64(n), p.left-int64(n)
	return n, nil
}

// repeated is what a pattern repeats: byte i is the low byte of i*131 + i>>8. It is made once, since with the
// race detector each byte costs.
var repeated = func() (all [1 << 16]byte) {
	for i := range all {
		all[i] = byte(i*131 + i>>8)
	}
	return all
}()

// sumOf reads all and returns its length and SHA-256.
func sumOf(t testing.TB, r io.Reader) (int64, string) {
	t.Helper()
	sum := sha256.New()
	n, err := io.Copy(sum, r)
	if err != nil {
		t.Fatal(err)
	}
	return n, hex.EncodeToString(sum.Sum(nil))
}

// A gauge watches the heap while something runs.
type gauge struct {
	before uint64
	peak   atomic.Uint64
	stop   chan struct{}
	ended  chan struct{}
}

// watchHeap begins to watch, from a heap that was collected.
func watchHeap() *gauge {
	runtime.GC()
	g := &gauge{before: heap(), stop: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(g.ended)
		for {
			g.peak.Store(max(g.peak.Load(), heap()))
			select {
			case <-g.stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	return g
}

func heap() uint64 {
	var now runtime.MemStats
	runtime.ReadMemStats(&now)
	return now.HeapAlloc
}

// growth stops watching and returns by how much the heap was larger at most, in bytes.
func (g *gauge) growth() uint64 {
	close(g.stop)
	<-g.ended
	return max(g.peak.Load(), g.before) - g.before
}

// mostGrowth is what a transfer may take beside what other tests left behind: a fifth of it.
const mostGrowth = 20 << 20 // bytes

func TestLargeDocuments(t *testing.T) {
	w := newDoor(t)
	bjorn := w.with(cookieOf(w.as("bjorn").get("/api/v2/me")))
	_, wanted := sumOf(t, document(documentSize))

	watched := watchHeap()
	response := bjorn.must("GET", "/api/v2/documents/7/content", nil)
	n, sum := sumOf(t, response.Body)
	if grown := watched.growth(); n != documentSize || sum != wanted || response.ContentLength != documentSize || grown > mostGrowth {
		t.Errorf("a download of %d bytes came as %d (announced %d), %s; want %s; the heap grew by %d bytes", documentSize, n, response.ContentLength, sum, wanted, grown)
	}

	for name, length := range map[string]int64{"with its length": documentSize, "in chunks": -1} {
		request, err := http.NewRequestWithContext(t.Context(), "POST", w.url+"/api/v2/documents", document(documentSize))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Cookie", bjorn.headers[1])
		request.ContentLength = length
		watched = watchHeap()
		response, err = w.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		grown := watched.growth()
		if err != nil || response.StatusCode != 200 || !strings.Contains(string(body), fmt.Sprintf(`"size":%d,"sha256":%q`, documentSize, wanted)) || grown > mostGrowth {
			t.Errorf("an upload %s = %d %s (%v); the heap grew by %d bytes", name, response.StatusCode, body, err, grown)
		}
		_ = response.Body.Close()
	}
}

func TestPartsOfDocuments(t *testing.T) {
	w := newDoor(t)
	whole, err := io.ReadAll(document(70001))
	if err != nil {
		t.Fatal(err)
	}
	got := w.as("bjorn").get("/api/v2/documents/7/content?size=70001", "Range", "bytes=65530-65539")
	got.is(t, "a range", http.StatusPartialContent, string(whole[65530:65540]))
	if got.header.Get("Content-Range") != "bytes 65530-65539/70001" {
		t.Errorf("Content-Range: %q", got.header.Get("Content-Range"))
	}
	got = w.do("HEAD", "/api/v2/documents/7/content", "", "Authorization", basicAuth("bjorn", "bjorn"))
	if got.status != 200 || got.header.Get("Content-Length") != fmt.Sprint(documentSize) {
		t.Errorf("HEAD = %d %v; want the length of the whole", got.status, got.header)
	}
}

// TestBothWaysAtOnce reads back each piece before it sends the next.
func TestBothWaysAtOnce(t *testing.T) {
	w := newDoor(t)
	bjorn := w.as("bjorn")
	bjorn.get("/api/v2/me")
	reader, writer := io.Pipe()
	defer writer.Close()
	go func() { _, _ = io.WriteString(writer, "piece 0") }() // the answer begins with the first bytes
	response := bjorn.must("PUT", "/api/v2/documents/7/content", reader)
	for i := range 5 {
		if i > 0 {
			_, err := fmt.Fprintf(writer, "piece %d", i)
			if err != nil {
				t.Fatal(err)
			}
		}
		got := make([]byte, len("piece 0"))
		_, err := io.ReadFull(response.Body, got)
		if err != nil || string(got) != fmt.Sprintf("piece %d", i) {
			t.Fatalf("read %q, %v; want piece %d before the next is sent", got, err, i)
		}
	}
	_ = writer.Close()
	rest, err := io.ReadAll(response.Body)
	if len(rest) != 0 || err != nil {
		t.Errorf("the rest is %q, %v; want the end", rest, err)
	}
}

// TestAnswersComeAsTheyAreMade reads each piece of an answer before the site makes the next, and the
// head before the first.
func TestAnswersComeAsTheyAreMade(t *testing.T) {
	next := make(chan struct{})
	w, _ := newTapped(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		stream := http.NewResponseController(w)
		_ = stream.Flush()
		for i := range 3 {
			<-next
			fmt.Fprintf(w, "piece %d", i)
			_ = stream.Flush()
		}
		w.Header().Set("X-Sum", "3")
	})
	response := w.as("bjorn").must("GET", "/api/v2/tap", nil)
	for i := range 3 {
		next <- struct{}{}
		got := make([]byte, len("piece 0"))
		_, err := io.ReadFull(response.Body, got)
		if err != nil || string(got) != fmt.Sprintf("piece %d", i) {
			t.Fatalf("read %q, %v; want piece %d", got, err, i)
		}
	}
	rest, err := io.ReadAll(response.Body)
	if len(rest) != 0 || err != nil || response.Trailer.Get("X-Sum") != "3" {
		t.Errorf("the rest is %q, %v with the trailer %v; want the end and X-Sum", rest, err, response.Trailer)
	}
}

func TestCallersThatLeaveThePassage(t *testing.T) {
	came, left := make(chan struct{}, 1), make(chan struct{}, 1)
	waits := func(r *http.Request) {
		came <- struct{}{}
		<-r.Context().Done()
		left <- struct{}{}
	}
	for name, test := range map[string]struct {
		site http.HandlerFunc
		body func(context.Context) io.Reader
	}{
		"before the answer begins": {func(_ http.ResponseWriter, r *http.Request) { waits(r) }, nil},
		"in the middle of the answer": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			waits(r)
		}, nil},
		"in the middle of the request": {func(_ http.ResponseWriter, r *http.Request) {
			came <- struct{}{}
			_, err := io.Copy(io.Discard, r.Body)
			if err != nil {
				left <- struct{}{}
			}
		}, half},
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := newTapped(t, test.site)
			bjorn := w.as("bjorn")
			bjorn.get("/api/v2/me")
			ctx, leave := context.WithCancel(t.Context())
			var body io.Reader
			if test.body != nil {
				body = test.body(ctx)
			}
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				response, err := bjorn.send(ctx, "POST", "/api/v2/tap", body)
				if err == nil {
					_, _ = io.Copy(io.Discard, response.Body)
					_ = response.Body.Close()
				}
			}()
			<-came
			leave()
			<-ended
			select {
			case <-left:
			case <-time.After(10 * time.Second):
				t.Fatal("the site was not told that the caller left")
			}
			eventually(t, "the request is logged", func() bool { return len(records(t, w.log.String())) == 2 })
			if record := records(t, w.log.String())[1]; record["code"] != float64(codeClientGone) || record["route"] != "passthrough" {
				t.Errorf("it is logged as %v; want the code %d", record, codeClientGone)
			}
			w.over(t)
			if got := bjorn.get("/api/v2/me?fields=userName"); got.status != 200 {
				t.Errorf("the next request = %d %s", got.status, got.body)
			}
		})
	}
}

// half is a body that does not go on after its beginning, until ctx ends.
func half(ctx context.Context) io.Reader {
	reader, writer := io.Pipe()
	go func() { _, _ = io.WriteString(writer, "half") }()
	context.AfterFunc(ctx, func() { _ = writer.CloseWithError(ctx.Err()) })
	return reader
}

func TestExpectContinue(t *testing.T) {
	w, site := newTapped(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "got %s", body)
	})
	transport := &http.Transport{ExpectContinueTimeout: time.Minute}
	defer transport.CloseIdleConnections()
	w.client.Transport = transport
	bjorn := w.as("bjorn")
	response := bjorn.must("PUT", "/api/v2/tap", strings.NewReader("hello"), "Expect", "100-continue")
	body, err := io.ReadAll(response.Body)
	got := answer{response.StatusCode, response.Header, string(body)}
	got.is(t, "a body that was asked for", 200, "got hello")
	if err != nil || cookieOf(got) == "" || got.header.Get("X-Request-Id") == "" {
		t.Errorf("the answer lacks our headers: %v (%v)", got.header, err)
	}
	site.answer = says(413, "too much")
	response = bjorn.must("PUT", "/api/v2/tap", strings.NewReader(strings.Repeat("x", 1<<20)), "Expect", "100-continue")
	body, _ = io.ReadAll(response.Body)
	answer{response.StatusCode, response.Header, string(body)}.is(t, "a body that nobody wants", 413, "too much")
}

// TestAnswersThatBreakOff has sites break off what they answer, which is their fault and not ours.
func TestAnswersThatBreakOff(t *testing.T) {
	breaks := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	cloud, _ := newTapped(t, breaks)
	_, host := behind(t, map[string]http.Handler{"ic1.example": http.HandlerFunc(breaks)}, "http://ic1.example:8018")
	native := newDoor(t, host)
	for name, asked := range map[string]struct {
		*world
		response *http.Response
	}{
		"of HTCC": {cloud, cloud.as("bjorn").must("GET", "/api/v2/tap", nil)},
		"of ICWS": {native, native.application().must(t.Context(), "GET", "/icws/1/tap", nil)},
	} {
		body, err := io.ReadAll(asked.response.Body)
		_ = asked.response.Body.Close()
		if string(body) != "half" || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: read %q, %v; want half of it and %v", name, body, err, io.ErrUnexpectedEOF)
		}
		asked.isLogged(t, name, 200.0, "bad_upstream", errBrokenOff.Error())
	}
	if got := cloud.as("bjorn").get("/api/v2/me?fields=userName"); got.status != 200 {
		t.Errorf("the next request = %d %s", got.status, got.body)
	}
}

// isLogged holds the one record that there is to a code, the class of an error, if one, and the beginning of its text.
func (w *world) isLogged(t testing.TB, name string, code float64, class any, text string) {
	t.Helper()
	eventually(t, "the request is logged", func() bool { return len(records(t, w.log.String())) == 1 })
	record := records(t, w.log.String())[0]
	said, _ := record["error"].(string)
	if record["code"] != code || record["error_class"] != class || !strings.HasPrefix(said, text) {
		t.Errorf("%s: it is logged as %v; want %v of the class %v, and %q", name, record, code, class, text)
	}
}

// TestCallersThatLeaveWhatIsPassedThrough has them do so before an answer, amid one and amid a stream. It is nobody's
// fault.
func TestCallersThatLeaveWhatIsPassedThrough(t *testing.T) {
	for name, kind := range map[string]string{"before the answer": "", "amid the answer": "text/plain", "amid a stream": "text/event-stream"} {
		came := make(chan struct{}, 2)
		answers := func(w http.ResponseWriter, r *http.Request) {
			came <- struct{}{}
			if kind != "" {
				w.Header().Set("Content-Type", kind)
				_, _ = io.WriteString(w, "half")
				_ = http.NewResponseController(w).Flush()
			}
			<-r.Context().Done()
		}
		cloud, _ := newTapped(t, answers)
		_, host := behind(t, map[string]http.Handler{"ic1.example": http.HandlerFunc(answers)}, "http://ic1.example:8018")
		for world, path := range map[*world]string{cloud: "/api/v2/tap", newDoor(t, host): "/icws/1/messaging/messages"} {
			ctx, leave := context.WithCancel(t.Context())
			want := "proxy: pass through: "
			if kind == "" {
				go func() {
					<-came
					leave()
				}()
			}
			response, err := world.as("bjorn").send(ctx, "GET", path, nil)
			if kind != "" {
				if err != nil {
					t.Fatal(err)
				}
				readNext(t, response.Body, "half")
				want = errBrokenOff.Error()
			}
			leave()
			if response != nil {
				_ = response.Body.Close()
			}
			world.isLogged(t, name+" to "+path, 499.0, nil, want)
		}
	}
}
