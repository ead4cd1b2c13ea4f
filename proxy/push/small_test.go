package push

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
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
