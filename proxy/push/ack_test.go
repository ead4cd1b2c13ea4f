package push

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// acking opens a page of owner that acknowledges.
func acking(t testing.TB, s *Server, owner string) *page {
	t.Helper()
	p := openWith(t, s, owner, `,"ext":{"ack":true}`)
	p.subscribe("/**")
	return p
}

func TestAcknowledgement(t *testing.T) {
	inTime(t, Options{AckExtension: true}, func(t *testing.T, s *Server) {
		p := acking(t, s, "anna")
		publish(t, s, "anna", 1)
		got := post(t, s, "anna", "["+p.message(metaSubscribe, `,"subscription":"/b"`)+"]")
		if dataOf(t, got) != "" {
			t.Errorf("answer to subscribe = %s; want events on connects alone", got)
		}
		for _, step := range []struct {
			what    string
			publish []int // before the connect
			ack     string
			events  string
			batch   int
		}{
			{"the first connect takes what there is", nil, "0", "1", 1},
			{"it is sent again at once until acknowledged", nil, "0", "1", 2},
			{"with what came meanwhile", []int{2}, "0", "1 2", 3},
			{"what an older answer carried is gone", nil, "2", "2", 4},
			{"a batch that was never sent acknowledges what was, but not what was not", []int{3}, "99", "3", 5},
			{"no batch acknowledges nothing", nil, "-1", "3", 6},
			{"a connect that acknowledges everything brings nothing", nil, "6", "", 7},
		} {
			for _, data := range step.publish {
				publish(t, s, "anna", data)
			}
			start := time.Now()
			got := p.connect(`,"ext":{"ack":` + step.ack + `}`).text(t)
			if dataOf(t, got) != step.events || !strings.HasSuffix(got, fmt.Sprintf(`"ext":{"ack":%d}}]`, step.batch)) {
				t.Errorf("%s: connect = %s; want events %q in batch %d", step.what, got, step.events, step.batch)
			}
			if held := time.Since(start) > 0; held != (step.events == "") {
				t.Errorf("%s: connect was held: %v", step.what, held)
			}
		}
	})
}

func TestConnectWithoutAcknowledgementIsHeldWhenAllWasSent(t *testing.T) {
	inTime(t, Options{AckExtension: true}, func(t *testing.T, s *Server) {
		p := acking(t, s, "anna")
		publish(t, s, "anna", 1)
		p.connect("").text(t)
		c := p.connect("")
		if !c.held() {
			t.Fatalf("connect = %s; want it held", c.Body)
		}
		publish(t, s, "anna", 2)
		if got := dataOf(t, c.text(t)); got != "1 2" {
			t.Errorf("events = %q; want 1 2: nothing was acknowledged", got)
		}
	})
}

func TestAcknowledgementIsNotOfferedUnlessOn(t *testing.T) {
	s := newServer(t, Options{})
	got := post(t, s, "anna", `[{"channel":"/meta/handshake","ext":{"ack":true}}]`)
	if strings.Contains(got, "ext") {
		t.Errorf("handshake = %s; want no ext", got)
	}
}

// A reader is a client with the acknowledgement extension on a bad line. It knows no answer but
// those that reach it.
type reader struct {
	*page
	ack int
	got []int
}

// take notes what an answer brings.
func (r *reader) take(body string) {
	var messages []struct {
		Data *int
		Ext  struct{ Ack int }
	}
	err := json.Unmarshal([]byte(body), &messages)
	if err != nil {
		r.t.Fatalf("answer %q: %v", body, err)
	}
	for _, m := range messages {
		if m.Data != nil {
			r.got = append(r.got, *m.Data)
		}
		r.ack = max(r.ack, m.Ext.Ack)
	}
}

// play interleaves events, connects, connects beside held ones, callers that leave and answers that
// are lost, each at one of the servers, by the given seed, and returns what was published and what was
// received in the end.
func play(t *testing.T, servers []*Server, owner string, seed uint64) (sent, got []int) {
	random := rand.New(rand.NewPCG(seed, 0))
	any := func() *Server { return servers[random.IntN(len(servers))] }
	r := &reader{page: acking(t, any(), owner)}
	var pending []*call
	connect := func() *call {
		r.s = any()
		return r.connect(fmt.Sprintf(`,"ext":{"ack":%d}`, r.ack))
	}
	for range 12 {
		switch random.IntN(5) {
		case 0, 1:
			sent = append(sent, len(sent))
			publish(t, any(), owner, len(sent)-1)
		case 2: // a connect, perhaps beside a held one
			pending = append(pending, connect())
			if random.IntN(2) == 0 {
				synctest.Wait() // it arrives before anything else happens
			}
		case 3: // the newest caller leaves, or its answer is lost
			if len(pending) > 0 {
				pending[len(pending)-1].leave()
				<-pending[len(pending)-1].done
				pending = pending[:len(pending)-1]
			}
		case 4: // the newest answer arrives; a page ignores what older connects bring
			if len(pending) > 0 && !pending[len(pending)-1].held() {
				if c := pending[len(pending)-1]; c.Code == 200 {
					r.take(c.Body.String())
				}
				pending = nil
			}
		}
	}
	synctest.Wait()
	for range 3 {
		r.s = any()
		r.take(r.connect(fmt.Sprintf(`,"ext":{"ack":%d},"advice":{"timeout":0}`, r.ack)).text(t))
	}
	for _, c := range pending {
		<-c.done
	}
	post(t, any(), owner, "["+r.message(metaDisconnect, "")+"]")
	return sent, r.got
}

// The acknowledgement extension promises that nothing is lost and nothing comes twice.
func TestAcknowledgementLosesNothingInAnyInterleaving(t *testing.T) {
	const plays = 10_000
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	inTime(t, Options{AckExtension: true}, func(t *testing.T, s *Server) {
		for i := range uint64(plays) {
			sent, got := play(t, []*Server{s}, "anna", seed+i)
			if !slices.Equal(sent, got) {
				t.Fatalf("seed %d: sent %v, got %v", seed+i, sent, got)
			}
		}
	})
}
