package push

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAnIdleSocketKeepsNothingOfItsRequest(t *testing.T) {
	s := newServer(t, Options{WebSocket: true})
	l := dial(t, sockets(t, s), "anna")
	l.open("")
	l.hold(s, "4")
	until(t, "the request's goroutine to end", func() bool {
		all := make([]byte, 1<<20)
		return !strings.Contains(string(all[:runtime.Stack(all, true)]), "net/http.(*conn).serve")
	})
}

// TestAFrameThatComesWithTheUpgrade sends both at once: the server has read the frame with the request.
func TestAFrameThatComesWithTheUpgrade(t *testing.T) {
	s := newServer(t, Options{WebSocket: true})
	address := strings.TrimPrefix(sockets(t, s), "http://")
	for name, message := range map[string]string{
		"a short frame": `[{"id":"1","channel":"/meta/handshake"}]`,
		"a long frame":  `[{"id":"1","channel":"/meta/handshake","ext":{"long":"` + strings.Repeat("x", 2*readBuffer) + `"}}]`,
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
			frame := []byte{0x81, 0x80 | 126, byte(len(message) >> 8), byte(len(message)), 0, 0, 0, 0} // text, masked with zeros
			_, err = io.WriteString(conn, "GET /?owner=anna HTTP/1.1\r\nHost: "+address+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
				"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"+string(frame)+message)
			if err != nil {
				t.Fatal(err)
			}
			in := bufio.NewReader(conn)
			answer, err := http.ReadResponse(in, nil)
			if err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
				t.Fatalf("the upgrade is answered with %v, %v", answer, err)
			}
			head := make([]byte, 4) // of a frame of more than 125 bytes
			_, err = io.ReadFull(in, head)
			reply := make([]byte, int(head[2])<<8|int(head[3]))
			if err == nil {
				_, err = io.ReadFull(in, reply)
			}
			if err != nil || !strings.Contains(string(reply), `"successful":true`) {
				t.Errorf("the frame is answered with %s, %v", reply, err)
			}
		})
	}
}

func TestAPanicEndsItsSocketAlone(t *testing.T) {
	told := make(chan error, 1)
	s := newServer(t, Options{WebSocket: true, Panicked: func(err error) { told <- err },
		Subscribe: func(owner, _ string) string {
			if owner == "bjorn" {
				panic("no such owner")
			}
			return ""
		}})
	url := sockets(t, s)
	anna, bjorn := dial(t, url, "anna"), dial(t, url, "bjorn")
	anna.open("")
	bjorn.say(`[{"id":"1","channel":"/meta/handshake"}]`)
	_, rest, _ := strings.Cut(bjorn.hear(), `"clientId":"`)
	bjorn.id, _, _ = strings.Cut(rest, `"`)
	bjorn.say(`[{"id":"2","channel":"/meta/subscribe","subscription":"/**","clientId":"CLIENT"}]`)
	bjorn.ended()
	if err := <-told; !strings.Contains(err.Error(), "no such owner") {
		t.Errorf("told %v; want the panic", err)
	}
	anna.say(`[{"id":"4","channel":"/meta/subscribe","subscription":"/a","clientId":"CLIENT"}]`)
	anna.expect(`[{"id":"4","channel":"/meta/subscribe","successful":true,"subscription":"/a"}]`)
}

func TestAnIdleSocketWaitsWithoutABuffer(t *testing.T) {
	s := newServer(t, Options{WebSocket: true})
	l := dial(t, sockets(t, s), "anna")
	l.open("")
	l.hold(s, "4")
	until(t, "the reader to wait where it needs least", func() bool {
		all := make([]byte, 1<<20)
		stacks := string(all[:runtime.Stack(all, true)])
		return strings.Contains(stacks, "push.(*link).await") && !strings.Contains(stacks, "websocket.(*Conn).ReadMessage")
	})
}

func TestPingsAreAnswered(t *testing.T) {
	s := newServer(t, Options{WebSocket: true})
	l := dial(t, sockets(t, s), "anna")
	l.open("")
	l.hold(s, "4")
	ctx := l.conn.CloseRead(t.Context())
	err := l.conn.Ping(ctx)
	if err != nil {
		t.Errorf("a ping beside a held connect: %v; want it answered", err)
	}
}

// TestAPeerThatDoesNotAnswerAClose keeps its end open: we close ours after a while all the same.
func TestAPeerThatDoesNotAnswerAClose(t *testing.T) {
	for name, end := range map[string]func(*Server, net.Conn){
		"when its owner is ended": func(s *Server, _ net.Conn) { s.End("anna", None) },
		"when it breaks a rule": func(_ *Server, peer net.Conn) {
			_, _ = peer.Write([]byte{0x81, 0x80 | 1, 0, 0, 0, 0, '['}) // a text frame, masked with zeros
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t, Options{WebSocket: true})
				peer := upgraded(t, s)
				defer peer.Close()
				began := time.Now()
				end(s, peer)
				said, err := io.ReadAll(peer)
				if err != nil || len(said) < 4 || said[0] != 0x88 {
					t.Errorf("the peer read %x, %v; want a frame that closes, and the end", said, err)
				}
				if took := time.Since(began); took != closeWait {
					t.Errorf("it ended after %v; want %v", took, closeWait)
				}
				s.Close()
			})
		})
	}
}

func TestFramesThatComeTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, Options{WebSocket: true})
		peer := upgraded(t, s)
		frame := append([]byte{0x81, 0x80 | 30, 0, 0, 0, 0}, `{"channel":"/meta/handshake"}  `[:30]...) // text, masked with zeros
		_, err := peer.Write(append(frame, frame...))
		for range 2 {
			reply := make([]byte, 1<<10)
			n, _ := peer.Read(reply)
			if !strings.Contains(string(reply[:n]), `"successful":true`) {
				t.Errorf("a frame is answered with %s, %v", reply[:n], err)
			}
		}
		peer.Close()
		s.Close()
	})
}

// upgraded returns the peer's end of a websocket of anna's, in memory.
func upgraded(t *testing.T, s *Server) net.Conn {
	t.Helper()
	ours, peer := net.Pipe()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for name, value := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket",
		"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
		r.Header.Set(name, value)
	}
	w := &hijacked{httptest.NewRecorder(), half{ours}}
	w.Header().Set("Set-Cookie", "session=1")
	go func() { _ = s.Serve(w, r, "anna") }()
	head := make([]byte, 1<<10)
	n, _ := peer.Read(head)
	answer, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(head[:n])), r)
	if err != nil || answer.StatusCode != http.StatusSwitchingProtocols || answer.Header.Get("Set-Cookie") == "" {
		t.Fatalf("the upgrade is answered with %v, %v; want 101 and the cookie", answer, err)
	}
	synctest.Wait()
	if w.Code != http.StatusSwitchingProtocols {
		t.Errorf("the writer knows of status %d; want 101", w.Code)
	}
	return peer
}

// A hijacked is a writer that gives its connection away, and like gin's waits with the head.
type hijacked struct {
	*httptest.ResponseRecorder
	conn net.Conn
}

func (h *hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

func (*hijacked) WriteHeaderNow() {}

// A half is a connection whose halves end apart, to its own side at least.
type half struct{ net.Conn }

func (half) CloseWrite() error { return nil }
