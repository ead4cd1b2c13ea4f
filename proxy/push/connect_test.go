package push

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const retryBody = `"advice":{"reconnect":"retry","interval":0,"timeout":30000}`

func TestFirstConnectIsAnsweredAtOnce(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, s *Server) {
		p := open(t, s, "anna")
		start := time.Now()
		got := p.connect("").text(t)
		want := `[{"id":"1","channel":"/meta/connect","successful":true,` + retryBody + `}]`
		if got != want || time.Since(start) != 0 {
			t.Errorf("first connect = %s after %v; want %s at once", got, time.Since(start), want)
		}
	})
}

func TestHowLongAConnectIsHeld(t *testing.T) {
	for _, test := range []struct {
		name, fields string
		want         time.Duration
		answer       string
	}{
		{"by default for the advised time", ``, 30 * time.Second, `"successful":true}]`},
		{"as short as the client wishes", `,"advice":{"timeout":4000}`, 4 * time.Second, retryBody + "}]"},
		{"not at all if the client wishes so", `,"advice":{"timeout":0}`, 0, retryBody + "}]"},
		{"no longer than advised", `,"advice":{"timeout":1e300}`, 30 * time.Second, retryBody + "}]"},
		{"for the advised time if the wish makes no sense", `,"advice":{"timeout":-5}`, 30 * time.Second, retryBody + "}]"},
		{"for the advised time if the wish is none", `,"advice":7`, 30 * time.Second, `"successful":true}]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			inTime(t, Options{}, func(t *testing.T, s *Server) {
				p := ready(t, s, "anna")
				start := time.Now()
				got := p.connect(test.fields).text(t)
				if time.Since(start) != test.want || !strings.HasSuffix(got, test.answer) {
					t.Errorf("held for %v, then %s; want %v, then ...%s", time.Since(start), got, test.want, test.answer)
				}
			})
		})
	}
}

func TestEventReleasesAHeldConnect(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, s *Server) {
		p := ready(t, s, "anna")
		c := p.connect("")
		time.Sleep(7 * time.Second)
		if !c.held() {
			t.Fatal("connect is not held")
		}
		start := time.Now()
		publish(t, s, "anna", map[string]string{"messageType": "DeviceStateChangeMessage <1>"})
		got := c.text(t)
		want := `[{"data":{"messageType":"DeviceStateChangeMessage <1>"},"channel":"/v2/me/devices"},` +
			`{"id":"3","channel":"/meta/connect","successful":true}]`
		if got != want || time.Since(start) != 0 {
			t.Errorf("connect = %s after %v; want %s at once", got, time.Since(start), want)
		}
	})
}

func TestEventsBetweenConnectsAreKept(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, s *Server) {
		p := ready(t, s, "anna")
		publish(t, s, "anna", 1)
		publish(t, s, "anna", 2)
		got := dataOf(t, p.connect("").text(t))
		if got != "1 2" {
			t.Errorf("events = %q; want 1 2", got)
		}
	})
}

func TestEventsRideOnAnyReplyUnlessOnConnectsAlone(t *testing.T) {
	for _, test := range []struct {
		name            string
		options         Options
		subscribe, next string
	}{
		{"on any", Options{}, "1", ""},
		{"on connects alone", Options{MetaConnectDeliverOnly: true}, "", "1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inTime(t, test.options, func(t *testing.T, s *Server) {
				p := ready(t, s, "anna")
				publish(t, s, "anna", 1)
				got := post(t, s, "anna", "["+p.message(metaSubscribe, `,"subscription":"/b"`)+"]")
				if dataOf(t, got) != test.subscribe || !strings.HasSuffix(got, `"subscription":"/b"}]`) {
					t.Errorf("answer to subscribe = %s; want events %q before the reply", got, test.subscribe)
				}
				if got := dataOf(t, p.connect(`,"advice":{"timeout":0}`).text(t)); got != test.next {
					t.Errorf("events with the next connect = %q; want %q", got, test.next)
				}
			})
		})
	}
}

func TestNewerConnectReplacesAHeldOne(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, s *Server) {
		p := ready(t, s, "anna")
		old := p.connect("")
		if !old.held() {
			t.Fatal("connect is not held")
		}
		newer := p.connect("")
		<-old.done
		if old.Code != http.StatusInternalServerError || !errors.Is(old.err, ErrReplaced) {
			t.Errorf("older connect = %d, %v; want 500, %v", old.Code, old.err, ErrReplaced)
		}
		time.Sleep(15 * time.Second) // longer than a client without a connect lives
		if !newer.held() {
			t.Fatal("newer connect is not held")
		}
		publish(t, s, "anna", 1)
		if got := dataOf(t, newer.text(t)); got != "1" {
			t.Errorf("events = %q; want 1", got)
		}
	})
}

func TestNewerConnectGetsWhatTheOlderHasNotTaken(t *testing.T) {
	s := newServer(t, Options{})
	p := ready(t, s, "anna")
	begin := func() *exchange {
		x := &exchange{owner: "anna", transport: longPolling, limit: -1, wake: func() {}}
		s.handle(x, []message{{Channel: metaConnect, ClientID: p.id}})
		return x
	}
	older := begin()
	publish(t, s, "anna", 1) // the older one is woken, but before it goes on
	newer := begin()
	_, err := s.compose(older)
	if !older.parked || !errors.Is(err, ErrReplaced) {
		t.Errorf("older connect: held %v, then %v; want true, %v", older.parked, err, ErrReplaced)
	}
	body, err := s.compose(newer)
	if newer.parked || err != nil || dataOf(t, string(body)) != "1" {
		t.Errorf("newer connect: held %v, then %s, %v; want false, the event", newer.parked, body, err)
	}
	s.settle(newer, true)
}

func TestDisconnectReleasesAHeldConnect(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, s *Server) {
		p := ready(t, s, "anna")
		c := p.connect("")
		if !c.held() {
			t.Fatal("connect is not held")
		}
		got := post(t, s, "anna", "["+p.message(metaDisconnect, "")+"]")
		if got != `[{"id":"4","channel":"/meta/disconnect","successful":true}]` {
			t.Errorf("disconnect = %s", got)
		}
		got = c.text(t)
		if got != `[{"id":"3","channel":"/meta/connect","successful":true,"advice":{"reconnect":"none"}}]` {
			t.Errorf("held connect = %s; want the advice none", got)
		}
		if s.Clients("anna") != 0 {
			t.Errorf("clients = %d; want 0", s.Clients("anna"))
		}
	})
}

func TestEnd(t *testing.T) {
	for _, test := range []struct {
		advice Advice
		want   string
	}{
		{None, `[{"id":"3","channel":"/meta/connect","successful":true,"advice":{"reconnect":"none"}}]`},
		{Handshake, `[{"id":"3","channel":"/meta/connect","successful":false,"error":"402::Unknown client","advice":{"reconnect":"handshake","interval":0}}]`},
	} {
		t.Run(string(test.advice), func(t *testing.T) {
			inTime(t, Options{MaxSessionsPerBrowser: -1}, func(t *testing.T, s *Server) {
				first, second, cleo := ready(t, s, "anna"), ready(t, s, "anna"), ready(t, s, "cleo")
				held := []*call{first.connect(""), second.connect("")}
				other := cleo.connect("")
				synctest.Wait()
				s.End("anna", test.advice)
				for _, c := range held {
					if got := c.text(t); got != test.want {
						t.Errorf("held connect = %s; want %s", got, test.want)
					}
				}
				if !other.held() || s.Clients("anna") != 0 || s.Clients("cleo") != 1 {
					t.Error("the other owner's connect was released too")
				}
				got := first.connect("").text(t)
				if !strings.Contains(got, "402::Unknown client") {
					t.Errorf("next connect = %s; want an unknown client", got)
				}
			})
		})
	}
}

func TestCloseReleasesHeldConnects(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, s *Server) {
		p := ready(t, s, "anna")
		c := p.connect("")
		if !c.held() {
			t.Fatal("connect is not held")
		}
		s.Close()
		got := c.text(t)
		want := `[{"id":"3","channel":"/meta/connect","successful":true,` + retryBody + `}]`
		if got != want || c.Header().Get("Connection") != "close" {
			t.Errorf("held connect = %s, Connection: %s; want %s, close", got, c.Header().Get("Connection"), want)
		}
		c = p.connect("")
		if c.held() {
			t.Error("a connect is held by a server that is closed")
		}
	})
}

func TestCallerThatLeavesLosesNothing(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, s *Server) {
		p := ready(t, s, "anna")
		c := p.connect("")
		if !c.held() {
			t.Fatal("connect is not held")
		}
		c.leave()
		<-c.done
		if !errors.Is(c.err, ErrLeft) || c.Body.Len() != 0 {
			t.Errorf("abandoned connect = %q, %v; want nothing, %v", c.Body, c.err, ErrLeft)
		}
		publish(t, s, "anna", 1)
		if got := dataOf(t, p.connect("").text(t)); got != "1" {
			t.Errorf("events = %q; want 1", got)
		}
	})
}

func TestCallerThatLeavesHasTheUsualTimeToComeBack(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, s *Server) {
		p := ready(t, s, "anna")
		c := p.connect("")
		time.Sleep(20 * time.Second)
		c.leave()
		<-c.done
		time.Sleep(9 * time.Second)
		if s.Clients("anna") != 1 {
			t.Error("client was ended too early")
		}
		time.Sleep(3 * time.Second)
		if s.Clients("anna") != 0 {
			t.Error("client was not ended")
		}
	})
}

func TestSweeping(t *testing.T) {
	for _, test := range []struct {
		name    string
		options Options
		during  func(t *testing.T, p *page) // what the client does before it falls silent
		want    time.Duration               // how long it lives then
	}{
		{"a client that only shook hands", Options{}, func(*testing.T, *page) {}, 10 * time.Second},
		{"a client that connected", Options{}, func(t *testing.T, p *page) { p.connect("").text(t) }, 10 * time.Second},
		{"a client told to pause", Options{Interval: 5 * time.Second},
			func(t *testing.T, p *page) { p.connect("").text(t) }, 15 * time.Second},
		{"a client that pauses of its own accord", Options{},
			func(t *testing.T, p *page) { p.connect(`,"advice":{"interval":7000}`).text(t) }, 17 * time.Second},
		{"a client that wants to pause for ever", Options{},
			func(t *testing.T, p *page) { p.connect(`,"advice":{"interval":1e18}`).text(t) }, 40 * time.Second},
		{"a client that sent something else meanwhile", Options{}, func(t *testing.T, p *page) {
			p.connect("").text(t)
			time.Sleep(9 * time.Second)
			p.subscribe("/a")
		}, 10 * time.Second},
		{"a client that was held", Options{}, func(t *testing.T, p *page) {
			p.connect("").text(t)
			p.connect("").text(t)
		}, 10 * time.Second},
		{"another time", Options{MaxInterval: time.Minute}, func(t *testing.T, p *page) { p.connect("").text(t) }, time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			inTime(t, test.options, func(t *testing.T, s *Server) {
				p := open(t, s, "anna")
				test.during(t, p)
				time.Sleep(test.want - time.Millisecond)
				if s.Clients("anna") != 1 {
					t.Errorf("ended before %v", test.want)
				}
				time.Sleep(time.Second)
				if s.Clients("anna") != 0 {
					t.Errorf("lives longer than %v", test.want)
				}
				got := p.connect("").text(t)
				if !strings.Contains(got, `"error":"402::Unknown client","advice":{"reconnect":"handshake","interval":0}`) {
					t.Errorf("connect after its end = %s; want an unknown client", got)
				}
			})
		})
	}
}

func TestSecondPageOfABrowserPolls(t *testing.T) {
	const poll = `"advice":{"multiple-clients":true,"reconnect":"retry","interval":2000}`
	for _, test := range []struct {
		name    string
		options Options
		http2   bool
		held    bool
		want    string
	}{
		{"over HTTP/1.1", Options{}, false, false, `"successful":true,` + poll},
		{"over HTTP/1.1 with room for two", Options{MaxSessionsPerBrowser: 2}, false, true, ""},
		{"over HTTP/1.1 with room for all", Options{MaxSessionsPerBrowser: -1}, false, true, ""},
		{"over HTTP/2", Options{}, true, true, ""},
		{"over HTTP/2 with room for one", Options{HTTP2MaxSessionsPerBrowser: 1}, true, false, `"successful":true,` + poll},
		{"with polls refused", Options{MultiSessionInterval: -1}, false, false,
			`"successful":false,"advice":{"multiple-clients":true,"reconnect":"none"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			inTime(t, test.options, func(t *testing.T, s *Server) {
				version := func(r *http.Request) {
					if test.http2 {
						r.ProtoMajor = 2
					}
				}
				tab := func() *page {
					p := open(t, s, "anna", with("Cookie", "BAYEUX_BROWSER=one"))
					p.cookie = "BAYEUX_BROWSER=one"
					p.connect("", version).text(t)
					return p
				}
				first, second := tab(), tab()
				a := first.connect("", version)
				if !a.held() {
					t.Fatal("first page's connect is not held")
				}
				b := second.connect("", version)
				if b.held() != test.held {
					t.Fatalf("second page's connect is held: %v; want %v", !test.held, test.held)
				}
				if !test.held && !strings.Contains(b.text(t), test.want) {
					t.Errorf("second page's connect = %s; want %s", b.Body, test.want)
				}
			})
		})
	}
}

func TestPollingPageIsHeldWhenItIsAlone(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, s *Server) {
		cookie := with("Cookie", "BAYEUX_BROWSER=one")
		first, second := open(t, s, "anna", cookie), open(t, s, "anna", cookie)
		first.cookie, second.cookie = "BAYEUX_BROWSER=one", "BAYEUX_BROWSER=one"
		first.connect("").text(t)
		a := first.connect("")
		if !a.held() {
			t.Fatal("first page's connect is not held")
		}
		got := second.connect("").text(t)
		want := `"advice":{"multiple-clients":true,"reconnect":"retry","interval":2000,"timeout":30000}`
		if !strings.Contains(got, want) {
			t.Fatalf("second page's connect = %s; want %s", got, want)
		}
		a.leave()
		<-a.done
		b := second.connect("")
		if !b.held() {
			t.Fatal("second page's connect is not held though it is alone")
		}
		if got := b.text(t); !strings.HasSuffix(got, retryBody+"}]") {
			t.Errorf("second page's connect = %s; want its advice taken back", got)
		}
	})
}

func TestPagesOfDifferentBrowsersAreAllHeld(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, s *Server) {
		a, b := ready(t, s, "anna").connect(""), ready(t, s, "anna").connect("")
		if !a.held() || !b.held() {
			t.Error("a connect is not held though its browser has no other")
		}
	})
}

func TestNothingIsLeftOfClientsThatAreGone(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, s *Server) {
		for range 3 {
			p := ready(t, s, "anna")
			c := p.connect("")
			if !c.held() {
				t.Fatal("connect is not held")
			}
			c.leave()
			<-c.done
		}
		time.Sleep(time.Minute)
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.clients)+len(s.owners)+len(s.held) != 0 {
			t.Errorf("left: %d clients, %d owners, %d browsers", len(s.clients), len(s.owners), len(s.held))
		}
	})
}
