package push

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
)

// putOff fails unless the call is told to come again.
func (c *call) putOff(t *testing.T, what string) {
	t.Helper()
	<-c.done
	if c.Code != http.StatusServiceUnavailable || c.Result().Header.Get("Retry-After") != "1" || c.Body.Len() > 0 {
		t.Errorf("%s = %d %v %s; want 503 that says when to come again", what, c.Code, c.Result().Header, c.Body)
	}
}

// Who is not here may be elsewhere: the client keeps its id, and what it has not had.
func TestClientOfAnotherServerWhileTheJournalIsAway(t *testing.T) {
	for channel, fields := range map[string]string{
		metaConnect: `,"connectionType":"long-polling"`, metaSubscribe: `,"subscription":"/b"`, metaUnsubscribe: `,"subscription":"/**"`, "/a": `,"data":1`,
	} {
		t.Run(channel, func(t *testing.T) {
			inFleet(t, Options{}, func(t *testing.T, f *fleet) {
				p := ready(t, f.servers[0], "anna")
				f.ends[1].Cut(true)
				send(f.servers[1], "anna", "["+p.message(channel, fields)+"]").putOff(t, "message without the journal")
				publish(t, f.servers[0], "anna", 1)
				f.ends[1].Cut(false)
				p.s = f.servers[1]
				if got := dataOf(t, p.connect("").text(t)); got != "1" {
					t.Errorf("events with the journal = %q; want 1", got)
				}
			})
		})
	}
}

func TestHandshakeWhileTheJournalIsAway(t *testing.T) {
	inFleet(t, Options{}, func(t *testing.T, f *fleet) {
		f.ends[0].Cut(true)
		send(f.servers[0], "anna", `[{"channel":"/meta/handshake"}]`).putOff(t, "handshake without the journal")
		if n := f.servers[0].Clients("anna"); n != 0 {
			t.Errorf("%d clients; want none", n)
		}
		f.ends[0].Cut(false)
		p := open(t, f.servers[0], "anna")
		p.s = f.servers[1]
		p.subscribe("/**")
	})
}

// What was carried out is answered as it ended.
func TestJournalThatGoesAwayWithinABatch(t *testing.T) {
	var between func()
	o := Options{Receive: func(_, channel string) bool {
		if channel == metaConnect && between != nil {
			between()
		}
		return true
	}}
	inFleet(t, o, func(t *testing.T, f *fleet) {
		p := ready(t, f.servers[0], "anna")
		subscribe, connect := p.message(metaSubscribe, `,"subscription":"/b"`), p.message(metaConnect, `,"connectionType":"long-polling"`)
		between = func() {
			between = nil
			post(t, f.servers[1], "anna", "["+p.message(metaSubscribe, `,"subscription":"/c"`)+"]")
			synctest.Wait() // until the other server has heard of it
			f.ends[0].Cut(true)
		}
		got := post(t, f.servers[0], "anna", "["+subscribe+","+connect+"]")
		if strings.Count(got, `"successful":true`) != 1 || !strings.Contains(got, errJournalAway) || !strings.Contains(got, `"advice":{"reconnect":"retry","interval":1000}`) {
			t.Errorf("answer = %s; want a subscription, and a connect that is to be tried again", got)
		}
	})
}

func TestSocketWhileTheJournalIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := NewMemory()
		end := memory.End()
		p := open(t, newServer(t, Options{Journal: memory.End()}), "anna")
		l := dialInMemory(t, newServer(t, Options{Journal: end, WebSocket: true}), "anna")
		l.id = p.id
		end.Cut(true)
		l.say(`[{"id":"1","channel":"/meta/handshake"}]`)
		l.expect(`[{"id":"1","channel":"/meta/handshake","successful":false,"error":"503::Try again later","advice":{"reconnect":"handshake","interval":1000}}]`)
		l.say(`[{"id":"2","channel":"/meta/connect","clientId":"CLIENT"}]`)
		l.expect(`[{"id":"2","channel":"/meta/connect","successful":false,"error":"503::Try again later","advice":{"reconnect":"retry","interval":1000}}]`)
		l.say(`[{"id":"3","channel":"/meta/subscribe","subscription":"/a","clientId":"CLIENT"}]`)
		l.expect(`[{"id":"3","channel":"/meta/subscribe","successful":false,"error":"503::Try again later"}]`)
		end.Cut(false)
		l.say(`[{"id":"4","channel":"/meta/connect","clientId":"CLIENT","advice":{"timeout":0}}]`)
		l.expect(`[{"id":"4","channel":"/meta/connect","successful":true,"advice":{"reconnect":"retry","interval":0,"timeout":30000}}]`)
	})
}

func TestLineWhileTheJournalIsAway(t *testing.T) {
	var end *MemoryEnd
	options := func() Options {
		end = NewMemory().End()
		return Options{Journal: end}
	}
	inWebWith(t, options, true, func(t *testing.T, w *web) {
		p := ready(t, w.server, "anna")
		c := w.dial()
		w.hold(c, p)
		publish(t, w.server, "anna", 1)
		c.receive()
		end.Cut(true)
		c.send(fmt.Sprintf(heldMessage, strings.Repeat("c", len(p.id))))
		if got := c.receive(); !strings.HasPrefix(got, "HTTP/1.1 503 ") || !strings.Contains(got, "Retry-After:[1]") {
			t.Errorf("connect without the journal = %s; want 503", got)
		}
		w.hold(c, p) // the line goes on
		publish(t, w.server, "anna", 2)
		if got := c.receive(); !strings.Contains(got, `"data":2`) {
			t.Errorf("connect of a client that is here = %s; want 2", got)
		}
	})
}
