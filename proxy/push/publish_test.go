package push

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestEventComesOnceHoweverManyPatternsMatch(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, s *Server) {
		p := ready(t, s, "anna")
		p.subscribe(devices)
		p.subscribe("/v2/me/*")
		publish(t, s, "anna", 1)
		if got := dataOf(t, p.connect("").text(t)); got != "1" {
			t.Errorf("events = %q; want 1", got)
		}
	})
}

func TestEventsComeOnlyForWhatIsSubscribed(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, s *Server) {
		p := open(t, s, "anna")
		p.subscribe("/v2/me/*")
		p.connect("").text(t)
		for _, channel := range []string{"/v2/me", "/v2/me/calls", "/notifications/services"} {
			err := s.Publish("anna", channel, channel, time.Now())
			if err != nil {
				t.Fatal(err)
			}
		}
		post(t, s, "anna", "["+p.message(metaUnsubscribe, `,"subscription":"/v2/me/*"`)+"]")
		publish(t, s, "anna", 2)
		if got := dataOf(t, p.connect(`,"advice":{"timeout":0}`).text(t)); got != "" {
			t.Errorf("events after unsubscribing = %q; want none: the earlier one came with that reply", got)
		}
	})
}

func TestOwnersAreKeptApart(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, s *Server) {
		anna, cleo := ready(t, s, "anna"), ready(t, s, "cleo")
		a, c := anna.connect(""), cleo.connect("")
		publish(t, s, "anna", "for anna")
		if got := dataOf(t, a.text(t)); got != "for anna" {
			t.Errorf("anna's events = %q", got)
		}
		if !c.held() {
			t.Fatalf("cleo's connect = %s; want it held", c.Body)
		}
		// Whoever learns a client's id, even with the browser's cookie, is as good as one who made it up.
		stolen := &page{t: t, s: s, owner: "cleo", id: anna.id, cookie: anna.cookie}
		if got := stolen.connect("").text(t); !strings.Contains(got, "402::Unknown client") {
			t.Errorf("connect with another owner's client = %s; want an unknown client", got)
		}
		if s.Clients("anna") != 1 {
			t.Error("anna's client is gone")
		}
	})
}

func TestOrder(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, s *Server) {
		p := ready(t, s, "anna")
		published := make(chan struct{})
		var want []string
		for i := range 500 {
			want = append(want, fmt.Sprint(i))
		}
		go func() {
			defer close(published)
			for i := range 500 {
				publish(t, s, "anna", i)
				time.Sleep(time.Duration(i%3) * time.Millisecond)
			}
		}()
		var got []string
		for len(got) < len(want) {
			got = append(got, strings.Fields(dataOf(t, p.connect(`,"advice":{"timeout":5000}`).text(t)))...)
		}
		<-published
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("events came as %v", got)
		}
	})
}

func TestPublishRefusesWhatCannotBeDelivered(t *testing.T) {
	s := newServer(t, Options{})
	open(t, s, "anna")
	for _, test := range []struct {
		name, channel string
		data          any
		want          string
	}{
		{"a pattern", "/v2/*", 1, `push: publish on "/v2/*": not a broadcast channel`},
		{"a meta channel", "/meta/connect", 1, `push: publish on "/meta/connect": not a broadcast channel`},
		{"a service channel", "/service/x", 1, `push: publish on "/service/x": not a broadcast channel`},
		{"no channel", "", 1, `push: publish on "": not a broadcast channel`},
		{"data that is none", "/a", math.Inf(1), `push: publish on "/a": json: unsupported value: +Inf`},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := s.Publish("anna", test.channel, test.data, time.Now())
			if err == nil || err.Error() != test.want {
				t.Errorf("Publish = %v; want %s", err, test.want)
			}
		})
	}
	err := s.Publish("nobody", "/a", math.Inf(1), time.Now())
	if err != nil {
		t.Errorf("Publish for an owner without clients = %v; want nil", err)
	}
}

func TestPublishedJSONIsNotTouched(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, s *Server) {
		p := ready(t, s, "anna")
		const data = `{"a":"<&>","n":1.0e3,"u":"\u00e9é"}`
		publish(t, s, "anna", json.RawMessage(data))
		got := p.connect("").text(t)
		if !strings.HasPrefix(got, `[{"data":`+data+`,"channel":"/v2/me/devices"},`) {
			t.Errorf("event = %s; want data %s", got, data)
		}
	})
}

func TestOverflowEndsThatClientAlone(t *testing.T) {
	for _, test := range []struct {
		name    string
		options Options
		fits    int
	}{
		{"by number", Options{MaxQueue: 3}, 3},
		{"by size", Options{MaxQueueBytes: 100}, 2}, // 39 bytes each
	} {
		t.Run(test.name, func(t *testing.T) {
			reg := prometheus.NewRegistry()
			test.options.Metrics = NewMetrics(reg)
			inTime(t, test.options, func(t *testing.T, s *Server) {
				slow, quick := ready(t, s, "anna"), ready(t, s, "anna")
				for i := range test.fits {
					publish(t, s, "anna", i)
					quick.connect("").text(t)
				}
				if s.Clients("anna") != 2 {
					t.Fatal("a client is gone before its queue is full")
				}
				publish(t, s, "anna", "last")
				if got := dataOf(t, quick.connect("").text(t)); got != "last" {
					t.Errorf("quick client's events = %q; want last", got)
				}
				got := slow.connect("").text(t)
				if !strings.Contains(got, `"402::Unknown client","advice":{"reconnect":"handshake"`) {
					t.Errorf("slow client's connect = %s; want it told to shake hands", got)
				}
				if n := number(t, reg, "portico_push_events_total", "channel", "devices", "outcome", "dropped"); n != float64(test.fits+1) {
					t.Errorf("dropped = %v; want %d", n, test.fits+1)
				}
				if n := number(t, reg, "portico_push_connection_events_total", "event", "overflowed"); n != 1 {
					t.Errorf("overflowed = %v; want 1", n)
				}
			})
		})
	}
}

// TestAnEventLongerThanTheQueueFindsRoomWhereAllWasSent has a queue of 100 bytes.
func TestAnEventLongerThanTheQueueFindsRoomWhereAllWasSent(t *testing.T) {
	long := strings.Repeat("long", 100)
	for _, test := range []struct {
		name string
		ack  bool
		play func(p *page, publish func(data any))
		want string // of the last connect
	}{
		{"alone", false, func(_ *page, publish func(any)) { publish(long) }, long},
		{"with others after it", false, func(_ *page, publish func(any)) { publish(long); publish(1); publish(2) }, long + " 1 2"},
		{"with too much after it", false, func(_ *page, publish func(any)) { publish(long); publish(1); publish(2); publish(3) }, "gone"},
		{"after one that waits", false, func(_ *page, publish func(any)) { publish(1); publish(long) }, "gone"},
		{"after another", false, func(_ *page, publish func(any)) { publish(long); publish(long) }, "gone"},
		{"after one that was sent, and is not acknowledged", true, func(p *page, publish func(any)) {
			publish(1)
			p.connect("").text(p.t)
			publish(long)
			publish(2)
		}, "1 " + long + " 2"},
		{"after another, that is not acknowledged", true, func(p *page, publish func(any)) {
			publish(long)
			p.connect("").text(p.t)
			publish(long)
		}, "gone"},
		{"after another that is", true, func(p *page, publish func(any)) {
			publish(long)
			p.connect("").text(p.t)
			p.connect(`,"ext":{"ack":1}`).text(p.t)
			publish(long)
		}, long},
	} {
		t.Run(test.name, func(t *testing.T) {
			inTime(t, Options{MaxQueueBytes: 100, AckExtension: true}, func(t *testing.T, s *Server) {
				shake := map[bool]func(testing.TB, *Server, string) *page{false: ready, true: acking}
				p := shake[test.ack](t, s, "anna")
				test.play(p, func(data any) { publish(t, s, "anna", data) })
				got := p.connect("").text(t)
				said := dataOf(t, got)
				if strings.Contains(got, "402::Unknown client") {
					said = "gone"
				}
				if said != test.want {
					t.Errorf("answer = %s; want %s", got, test.want)
				}
			})
		})
	}
}

func TestSubscriptionIsToldBeforeItIsAnswered(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, s *Server) {
		var told []string
		s.opts.Subscribed = func(owner, clientID, pattern string) {
			told = append(told, owner+" "+pattern)
			publish(t, s, owner, "snapshot")
		}
		p := open(t, s, "anna")
		got := post(t, s, "anna", "["+p.message(metaSubscribe, `,"subscription":["/v2/me/*","/v2/me/*"]`)+"]")
		if dataOf(t, got) != "snapshot" || strings.Join(told, ", ") != "anna /v2/me/*" {
			t.Errorf("answer = %s, told %q; want the snapshot with it, told once", got, told)
		}
	})
}

// What could not be written comes again, in its place, when the write is known to have failed.
func TestFailedWrite(t *testing.T) {
	for _, test := range []struct {
		name, shake, connect string
	}{
		{"without acknowledgements", "", ""},
		{"with acknowledgements", `,"ext":{"ack":true}`, `,"ext":{"ack":1}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			reg := prometheus.NewRegistry()
			inTime(t, Options{AckExtension: true, Metrics: NewMetrics(reg)}, func(t *testing.T, s *Server) {
				p := openWith(t, s, "anna", test.shake)
				p.subscribe("/**")
				p.connect("").text(t)
				c := p.connect(test.connect)
				if !c.held() {
					t.Fatal("connect is not held")
				}
				c.broken = true
				publish(t, s, "anna", 1)
				publish(t, s, "anna", 2)
				<-c.done
				if c.err != ErrLeft {
					t.Errorf("Serve = %v; want %v", c.err, ErrLeft)
				}
				publish(t, s, "anna", 3)
				if n := number(t, reg, "portico_push_backlog_events"); n != 3 {
					t.Errorf("backlog = %v; want 3", n)
				}
				if got := dataOf(t, p.connect(test.connect).text(t)); got != "1 2 3" {
					t.Errorf("events with the next connect = %q; want 1 2 3", got)
				}
				if n := number(t, reg, "portico_push_events_total", "outcome", "delivered"); n != 3 {
					t.Errorf("delivered = %v; want 3", n)
				}
			})
		})
	}
}

// While events are being written later ones wait, also for another answer to the same client.
func TestEventsWaitForThoseBeforeThem(t *testing.T) {
	s := newServer(t, Options{})
	p := ready(t, s, "anna")
	begin := func(channel string) *exchange {
		x := &exchange{owner: "anna", transport: longPolling, limit: -1, wake: func() {}}
		s.handle(x, []message{{Channel: channel, ClientID: p.id, Subscription: []byte(`"/a"`)}})
		return x
	}
	publish(t, s, "anna", 1)
	first := begin(metaConnect)
	_, err := s.compose(first)
	if err != nil {
		t.Fatal(err)
	}
	publish(t, s, "anna", 2)
	second := begin(metaSubscribe)
	body, err := s.compose(second)
	if err != nil || dataOf(t, string(body)) != "" {
		t.Errorf("answer beside = %s, %v; want no events", body, err)
	}
	s.settle(second, true)
	third := begin(metaConnect)
	if !third.parked {
		t.Error("connect beside is not held")
	}
	s.settle(first, false)
	body, err = s.compose(third)
	if err != nil || dataOf(t, string(body)) != "1 2" {
		t.Errorf("answer after = %s, %v; want 1 2", body, err)
	}
	s.settle(third, true)
}
