package htcc

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A bayeux is a small server of notifications. It names its clients c1, c2, ... and takes every
// subscription, unless a field says otherwise.
type bayeux struct {
	log // of requests: "handshake", "subscribe /v2/me", "connect now c1", "connect c1", "disconnect c1", "GET /api/v2/me"

	shake     string                                                               // more members of the reply to a handshake
	handshake func(n int, w http.ResponseWriter) bool                              // answers the nth; false to answer as usual
	subscribe func(m bayeuxRequest) string                                         // members of the reply, "" for success
	now       func(n int, w http.ResponseWriter, m bayeuxRequest) bool             // answers the nth connect that is not to be held
	connect   func(n int, w http.ResponseWriter, r *http.Request, m bayeuxRequest) // answers the nth other connect; nil holds it
	get       http.HandlerFunc                                                     // answers GET; nil with an agent

	reading atomic.Bool

	mu                       sync.Mutex // guards the fields below
	handshakes, nows, others int
}

func (b *bayeux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		b.Add("GET " + r.URL.Path)
		if b.get != nil {
			b.get(w, r)
			return
		}
		says(200, `{"statusCode":0,"user":{}}`)(w, r)
		return
	}
	content, _ := io.ReadAll(r.Body)
	var batch []bayeuxRequest
	err := json.Unmarshal(content, &batch)
	if err != nil || r.URL.Path != "/api/v2/notifications" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	b.answer(w, r, batch)
}

func (b *bayeux) answer(w http.ResponseWriter, r *http.Request, batch []bayeuxRequest) {
	first := batch[0]
	kind := strings.TrimPrefix(first.Channel, "/meta/")
	switch {
	case kind == "handshake":
		b.Add(kind)
		n := b.count(&b.handshakes)
		if b.handshake == nil || !b.handshake(n, w) {
			reply(w, first, fmt.Sprintf(`"successful":true,"clientId":"c%d"%s`, n, b.shake))
		}
	case kind == "subscribe":
		b.confirm(w, batch)
	case kind == "connect" && first.Advice != nil:
		b.Add("connect now " + first.ClientID)
		b.reading.Store(true)
		if b.now == nil || !b.now(b.count(&b.nows), w, first) {
			reply(w, first, `"successful":true,"advice":{"reconnect":"retry","interval":0,"timeout":30000}`)
		}
	case kind == "connect" && b.connect != nil:
		b.Add("connect " + first.ClientID)
		b.letRead()
		b.connect(b.count(&b.others), w, r, first)
	case kind == "connect":
		b.Add("connect " + first.ClientID)
		holdUntil(r, 30*time.Second)
		reply(w, first, `"successful":true`)
	default:
		b.Add(kind + " " + first.ClientID)
		reply(w, first, `"successful":true`)
	}
}

func (b *bayeux) confirm(w http.ResponseWriter, batch []bayeuxRequest) {
	var replies []string
	for _, m := range batch {
		b.Add("subscribe " + m.Subscription)
		members := ""
		if b.subscribe != nil {
			members = b.subscribe(m)
		}
		if members == "" {
			members = `"successful":true`
		}
		replies = append(replies, message(m, members))
	}
	says(200, "["+strings.Join(replies, ",")+"]")(w, nil)
}

// letRead has the state read before the first connect after one that is not to be held is answered.
func (b *bayeux) letRead() {
	if b.reading.Swap(false) {
		time.Sleep(time.Millisecond)
	}
}

func (b *bayeux) count(n *int) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	*n++
	return *n
}

// saw returns how often a request was made.
func (b *bayeux) saw(request string) int {
	n := 0
	for _, line := range b.All() {
		if line == request {
			n++
		}
	}
	return n
}

// message writes the reply to a request.
func message(m bayeuxRequest, members string) string {
	return fmt.Sprintf(`{"id":%q,"channel":%q,%s}`, m.ID, m.Channel, members)
}

// reply answers a request, with the data of some events on /v2/me/devices before the reply.
func reply(w http.ResponseWriter, m bayeuxRequest, members string, events ...string) {
	text := ""
	for _, data := range events {
		text += `{"channel":"/v2/me/devices","data":` + data + `},`
	}
	says(200, "["+text+message(m, members)+"]")(w, nil)
}

// holdUntil waits for some time, or until the client leaves.
func holdUntil(r *http.Request, d time.Duration) {
	select {
	case <-time.After(d):
	case <-r.Context().Done():
	}
}

// half answers with the first half of one event, and breaks the connection.
func half(w http.ResponseWriter) {
	_, _ = io.WriteString(w, `[{"channel":"/v2/me/devices","data":`)
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}
