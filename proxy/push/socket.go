package push

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// A socket is a websocket. It speaks for each client whose newest connect came on it: one, as a rule. Most are
// idle, so nothing is kept for one that waits but a goroutine that reads, on a small stack; what
// happens on its own, such as an event, is written by a goroutine that lives no longer than that.
type socket struct {
	server  *Server
	conn    *websocket.Conn
	link    *link        // below conn
	watcher Watcher      // of link
	over    func(Ending) // is called when it has ended
	owner   string
	browser string // the cookie of its first request

	writing sync.Mutex // is held while composing and writing, so that frames follow each other as their contents do

	// What follows is guarded by Server.mu.

	heard   time.Time // when the last frame came
	running int       // goroutines beside the reader
	ending  bool      // is closed when the last of them is done
	left    bool      // the reader has ended: nothing more is begun
	idle    bool      // the watcher was told so last

	work sync.WaitGroup // those goroutines
}

// writeBuffer is how many bytes of a frame are written at a time. Sockets have such a buffer only
// while they write.
const writeBuffer = 4 << 10

var writeBuffers sync.Pool

// isUpgrade reports whether r wants to become a websocket.
func isUpgrade(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// serveSocket makes r a websocket, which is served from then on until it ends: the request and the
// goroutine that brought it are not needed any more.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request, owner string, over func(Ending)) {
	if !s.takeOn() {
		defer over(Ending{})
		http.Error(w, "closing", http.StatusServiceUnavailable)
		return
	}
	upgrader := websocket.Upgrader{CheckOrigin: s.opts.mayOpen, WriteBufferPool: &writeBuffers, WriteBufferSize: writeBuffer}
	connection := &taking{ResponseWriter: w}
	conn, err := upgrader.Upgrade(connection, r, w.Header())
	if err != nil {
		over(Ending{})
		s.serving.Done()
		return // Upgrade has answered
	}
	conn.SetReadLimit(int64(s.opts.MaxMessageSize))
	k := &socket{server: s, conn: conn, link: connection.link, over: over, owner: owner, browser: browserOf(r), heard: time.Now()}
	k.watcher = s.watch(r, k.link)
	s.mu.Lock()
	s.sockets[k] = struct{}{}
	k.watchLocked()
	if s.closed {
		k.endLocked() // it was accepted meanwhile
	}
	s.mu.Unlock()
	go k.next()
}

// next waits for one frame and answers it, and leaves the next one to another goroutine: answering has
// made this one's stack larger than waiting needs. The last one, after the peer, or endLocked, has
// closed the socket, leaves.
func (k *socket) next() {
	if k.link.await() == nil && k.take() {
		go k.next()
		return
	}
	k.leave()
	k.over(Ending{})
	k.server.serving.Done()
}

// take reads a frame and answers it. It reports false when the socket is to end.
func (k *socket) take() (more bool) {
	if k.link.in.Buffered() == 0 {
		k.link.buffer()
	}
	_, text, err := k.conn.ReadMessage() // which has said what is wrong with a frame
	return err == nil && k.guarded(text)
}

// guarded is answer, in which a panic ends the socket alone if somebody is to be told of it.
func (k *socket) guarded(text []byte) (more bool) {
	k.server.guard(func() { more = k.answer(text) })
	return more
}

// guard calls f. A panic in it ends f alone if somebody is to be told of it.
func (s *Server) guard(f func()) {
	tell := s.opts.Panicked
	if tell != nil {
		defer func() {
			p := recover()
			if p != nil {
				tell(fmt.Errorf("push: panic: %v\n%s", p, debug.Stack()))
			}
		}()
	}
	f()
}

// answer answers a frame. It reports false when the socket is to end.
func (k *socket) answer(text []byte) bool {
	batch, err := decode(text)
	if err == nil {
		err = k.server.check(batch)
	}
	if err != nil {
		k.say(websocket.ClosePolicyViolation, "protocol violation")
		return false
	}
	x := k.exchange()
	k.server.handle(x, batch)
	if !x.parked {
		k.send(x)
	}
	return true
}

// exchange returns the start of one for a frame that came.
func (k *socket) exchange() *exchange {
	k.server.mu.Lock()
	defer k.server.mu.Unlock()
	k.heard = time.Now()
	x := &exchange{owner: k.owner, transport: webSocket, browser: k.browser, socket: k}
	x.wake = func() { k.spawnLocked(func() { k.send(x) }) }
	return x
}

// send writes x's replies and events, in one frame. A socket that does not take it is ended.
func (k *socket) send(x *exchange) {
	k.writing.Lock()
	defer k.writing.Unlock()
	body, err := k.server.compose(x)
	if err != nil {
		return // a newer connect is answered instead
	}
	if body != nil {
		_ = k.conn.SetWriteDeadline(time.Now().Add(writeWait))
		err = k.conn.WriteMessage(websocket.TextMessage, body)
	}
	if err != nil {
		if !errors.Is(err, websocket.ErrCloseSent) { // else the reader sees the end of it
			_ = k.conn.Close()
		}
		k.part() // or settle would find here the way to write what came back
	}
	k.server.settle(x, err == nil)
}

// kickLocked has c's events written.
func (k *socket) kickLocked(c *client) {
	if c.kicked {
		return
	}
	c.kicked = k.spawnLocked(func() {
		k.server.mu.Lock()
		c.kicked = false
		k.server.mu.Unlock()
		k.send(&exchange{transport: webSocket, socket: k, client: c, carries: true})
	})
}

// spawnLocked runs f beside the reader, unless that has ended, and reports whether it did.
func (k *socket) spawnLocked(f func()) bool {
	if k.left {
		return false
	}
	k.running++
	k.work.Go(func() {
		f()
		k.done()
	})
	return true
}

// done notes that one goroutine has finished, and closes a socket that was waiting for that.
func (k *socket) done() {
	k.server.mu.Lock()
	k.running--
	last := k.ending && k.running == 0
	k.server.mu.Unlock()
	if last {
		k.say(websocket.CloseGoingAway, "")
	}
}

// say tells the peer that we close the socket, which ends when the peer has done so too, or has had the
// time to.
func (k *socket) say(status int, why string) {
	err := k.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(status, why), time.Now().Add(closeWait))
	if err != nil {
		_ = k.conn.Close()
	}
	k.link.hurry()
}

// endLocked closes k once what is under way is written.
func (k *socket) endLocked() {
	if k.ending {
		return
	}
	k.ending = true
	if k.running == 0 {
		k.spawnLocked(func() {})
	}
}

// idleLocked reports whether k speaks for nobody.
func (k *socket) idleLocked() bool {
	return !slices.ContainsFunc(k.server.owners[k.owner], func(c *client) bool { return c.socket == k && !c.gone })
}

// watchLocked tells the watcher whether k speaks for somebody.
func (k *socket) watchLocked() {
	idle := k.idleLocked()
	switch {
	case idle == k.idle:
		return
	case idle:
		k.watcher.Idle(k.owner)
	default:
		k.watcher.Busy()
	}
	k.idle = idle
}

// part takes k from its clients, which may go on elsewhere.
func (k *socket) part() {
	s := k.server
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.owners[k.owner] {
		if c.socket != k {
			continue
		}
		c.socket = nil
		if c.connect != nil && c.connect.socket == k {
			s.abandonLocked(c.connect)
		}
	}
	k.watchLocked()
}

// leave is the reader's end: nothing more is begun, and what is under way is waited for.
func (k *socket) leave() {
	k.part()
	k.server.mu.Lock()
	k.left = true
	delete(k.server.sockets, k)
	k.server.mu.Unlock()
	k.link.linger()
	_ = k.conn.Close()
	k.watcher.Gone()
	k.work.Wait()
}
