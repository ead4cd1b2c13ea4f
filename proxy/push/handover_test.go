package push

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A fleet is servers that share a journal in memory, each with its end of it.
type fleet struct {
	*Memory
	servers []*Server
	ends    []*MemoryEnd
}

// inFleet runs test with a clock that moves when everyone waits, against three servers.
func inFleet(t *testing.T, o Options, test func(t *testing.T, f *fleet)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &fleet{Memory: NewMemory()}
		ctx, cancel := context.WithCancel(t.Context())
		for range 3 {
			end := f.End()
			o.Journal = end
			s := newServer(t, o)
			f.ends, f.servers = append(f.ends, end), append(f.servers, s)
			go func() { _ = s.Run(ctx) }()
		}
		test(t, f)
		time.Sleep(takeovers * slowest) // requests whose callers have left may still take their client anew
		for _, s := range f.servers {
			s.Close()
		}
		cancel()
		synctest.Wait()
	})
}

func TestClientGoesOnAtAnyServer(t *testing.T) {
	inFleet(t, Options{}, func(t *testing.T, f *fleet) {
		p := ready(t, f.servers[0], "anna")
		for i := range 10 {
			p.s = f.servers[i%3]
			c := p.connect("")
			if !c.held() {
				t.Fatalf("connect %d = %s; want it held", i, c.Body)
			}
			publish(t, f.servers[(i/3)%3], "anna", i)
			if got := dataOf(t, c.text(t)); got != fmt.Sprint(i) {
				t.Errorf("connect %d brought %q; want %d", i, got, i)
			}
		}
	})
}

func TestEventsWaitForClientBetweenServers(t *testing.T) {
	inFleet(t, Options{}, func(t *testing.T, f *fleet) {
		p := ready(t, f.servers[0], "anna")
		other := ready(t, f.servers[1], "cleo")
		publish(t, f.servers[2], "anna", 1)
		publish(t, f.servers[1], "anna", 2)
		p.s = f.servers[2]
		if got := dataOf(t, p.connect("").text(t)); got != "1 2" {
			t.Errorf("events = %q; want 1 2", got)
		}
		p.s = f.servers[1]
		if c := p.connect(""); !c.held() {
			t.Errorf("connect = %s; want it held: it has had both", c.Body)
		}
		if c := other.connect(""); !c.held() {
			t.Errorf("connect of another owner = %s; want it held", c.Body)
		}
	})
}

func TestNobodyTakesAnotherOwnersClient(t *testing.T) {
	inFleet(t, Options{}, func(t *testing.T, f *fleet) {
		p := ready(t, f.servers[0], "anna")
		thief := &page{t: t, s: f.servers[1], owner: "cleo", id: p.id}
		if got := thief.connect("").text(t); !strings.Contains(got, "402::") {
			t.Errorf("connect with another owner's client = %s; want 402", got)
		}
		c := p.connect("")
		publish(t, f.servers[1], "anna", 1)
		if got := dataOf(t, c.text(t)); got != "1" {
			t.Errorf("events = %q; want 1", got)
		}
	})
}

func TestHeldConnectOfClientThatIsTaken(t *testing.T) {
	for _, test := range []struct {
		name, channel, fields string
		status                int
		held                  string // what its answer holds
	}{
		{"by another connect", metaConnect, `,"connectionType":"long-polling","advice":{"timeout":0}`, 500, ""},
		{"by another message, after which the client waits for it", metaSubscribe, `,"subscription":"/b"`, 200, `"successful":true`},
		{"by its end", metaDisconnect, "", 200, `"successful":true`},
	} {
		t.Run(test.name, func(t *testing.T) {
			inFleet(t, Options{}, func(t *testing.T, f *fleet) {
				p := ready(t, f.servers[0], "anna")
				c := p.connect("")
				if !c.held() {
					t.Fatalf("connect = %s; want it held", c.Body)
				}
				got := post(t, f.servers[1], "anna", "["+p.message(test.channel, test.fields)+"]")
				if !strings.Contains(got, `"successful":true`) {
					t.Errorf("message at another server = %s; want success", got)
				}
				<-c.done
				if c.Code != test.status || !strings.Contains(c.Body.String(), test.held) {
					t.Errorf("held connect = %d %s; want %d with %s", c.Code, c.Body, test.status, test.held)
				}
			})
		})
	}
}

func TestSubscriptionsGoWithTheClient(t *testing.T) {
	inFleet(t, Options{}, func(t *testing.T, f *fleet) {
		p := open(t, f.servers[0], "anna")
		p.connect("").text(t)
		publish(t, f.servers[0], "anna", "before")
		for i, pattern := range []string{"/a", devices, "/c"} {
			p.s = f.servers[i]
			p.subscribe(pattern)
		}
		post(t, f.servers[0], "anna", "["+p.message(metaUnsubscribe, `,"subscription":"/c"`)+"]")
		publish(t, f.servers[1], "anna", 1)
		for _, channel := range []string{"/c", "/a"} {
			err := f.servers[2].Publish("anna", channel, channel, time.Now())
			if err != nil {
				t.Errorf("Publish: %v", err)
			}
		}
		p.s = f.servers[2]
		if got := dataOf(t, p.connect("").text(t)); got != "1 /a" {
			t.Errorf("events = %q; want 1 /a: neither what was before, nor /c", got)
		}
	})
}

// A client may connect at one server while another works on a batch of its messages.
func TestBatchOfClientThatIsTakenMeanwhile(t *testing.T) {
	var take func()
	subscribes := 0
	o := Options{Receive: func(_, channel string) bool {
		if channel == metaSubscribe {
			subscribes++
		}
		if channel == metaSubscribe && subscribes == 2 {
			take()
		}
		return true
	}}
	inFleet(t, o, func(t *testing.T, f *fleet) {
		p := open(t, f.servers[0], "anna")
		take = func() {
			p.s = f.servers[2]
			p.connect("").text(t)
			synctest.Wait() // until the other server has heard of it
		}
		got := post(t, f.servers[1], "anna", "["+p.message(metaSubscribe, `,"subscription":"/a"`)+","+p.message(metaSubscribe, `,"subscription":"`+devices+`"`)+"]")
		if strings.Count(got, `"successful":true`) != 2 {
			t.Errorf("two subscribes = %s; want success", got)
		}
		p.s = f.servers[0]
		c := p.connect("")
		publish(t, f.servers[1], "anna", 1)
		if got := dataOf(t, c.text(t)); got != "1" {
			t.Errorf("events = %q; want 1", got)
		}
	})
}

// A client connects at one server while it subscribes at another, each of which takes it at any moment.
func TestMessagesOfClientThatIsTakenAtAnyMoment(t *testing.T) {
	f := &fleet{Memory: NewMemory()}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range 2 {
		s := newServer(t, Options{Journal: f.End()})
		f.servers = append(f.servers, s)
		go func() { _ = s.Run(ctx) }()
		defer s.Close()
	}
	p := open(t, f.servers[0], "anna")
	for i := range 2000 {
		connect := "[" + p.message(metaConnect, `,"connectionType":"long-polling","advice":{"timeout":0}`) + "]"
		subscribe := "[" + p.message(metaSubscribe, fmt.Sprintf(`,"subscription":"/a/%d"`, i%20)) + "]"
		var connected, subscribed string
		var work sync.WaitGroup
		work.Go(func() { connected = post(t, f.servers[0], "anna", connect) })
		work.Go(func() { subscribed = post(t, f.servers[1], "anna", subscribe) })
		work.Wait()
		for _, got := range []string{connected, subscribed} {
			if !strings.Contains(got, `"successful":true`) {
				t.Fatalf("message %d of two at once was answered %s; want success", i, got)
			}
		}
	}
}

// far is a journal that takes a while to answer.
type far struct{ Journal }

func (far) travel() { time.Sleep(rand.N(10 * time.Millisecond)) }

func (j far) Take(ctx context.Context, owner, id string, connecting bool) (Record, Entries, error) {
	j.travel()
	defer j.travel()
	return j.Journal.Take(ctx, owner, id, connecting)
}

func (j far) Save(ctx context.Context, owner string, r Record) error {
	j.travel()
	defer j.travel()
	return j.Journal.Save(ctx, owner, r)
}

// Each of three servers takes the client, and has lost it again before it could note what it did.
func TestServersThatTakeAClientFromEachOtherComeToAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := NewMemory()
		ctx, cancel := context.WithCancel(t.Context())
		var servers []*Server
		for range 3 {
			s := newServer(t, Options{Journal: far{memory.End()}})
			servers = append(servers, s)
			go func() { _ = s.Run(ctx) }()
		}
		for i := range 300 {
			p := open(t, servers[0], "anna")
			messages := []string{p.message(metaConnect, `,"connectionType":"long-polling","advice":{"timeout":0}`),
				p.message(metaSubscribe, `,"subscription":"/a"`), p.message(metaSubscribe, `,"subscription":"/b"`)}
			var work sync.WaitGroup
			for at, message := range messages {
				work.Go(func() {
					got := post(t, servers[at], "anna", "["+message+"]")
					if !strings.Contains(got, `"successful":true`) {
						t.Errorf("client %d, message %d of three at once was answered %s; want success", i, at, got)
					}
				})
			}
			work.Wait()
			post(t, servers[0], "anna", "["+p.message(metaDisconnect, "")+"]")
		}
		for _, s := range servers {
			s.Close()
		}
		cancel()
		synctest.Wait()
	})
}

// Answers are lost with their callers; what was not written is not.
func TestHandoverLosesNothingInAnyInterleaving(t *testing.T) {
	const plays = 3_000
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	inFleet(t, Options{AckExtension: true}, func(t *testing.T, f *fleet) {
		for i := range uint64(plays) {
			sent, got := play(t, f.servers, "anna", seed+i)
			if !slices.Equal(sent, got) {
				t.Fatalf("seed %d: sent %v, got %v", seed+i, sent, got)
			}
		}
	})
}

// Without the extension what was written counts as received: callers stay here until they are answered.
func TestHandoverWithoutAcknowledgement(t *testing.T) {
	const plays = 1_000
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	inFleet(t, Options{}, func(t *testing.T, f *fleet) {
		for range plays {
			var sent, got []string
			p := ready(t, f.servers[random.IntN(3)], "anna")
			for i := range 8 {
				if random.IntN(2) == 0 {
					sent = append(sent, fmt.Sprint(i))
					publish(t, f.servers[random.IntN(3)], "anna", i)
					continue
				}
				p.s = f.servers[random.IntN(3)]
				got = append(got, strings.Fields(dataOf(t, p.connect(`,"advice":{"timeout":0}`).text(t)))...)
			}
			synctest.Wait() // until all servers have heard
			got = append(got, strings.Fields(dataOf(t, p.connect(`,"advice":{"timeout":0}`).text(t)))...)
			post(t, f.servers[random.IntN(3)], "anna", "["+p.message(metaDisconnect, "")+"]")
			if !slices.Equal(sent, got) {
				t.Fatalf("sent %v, got %v", sent, got)
			}
		}
	})
}

func TestJournalThatIsAway(t *testing.T) {
	inFleet(t, Options{}, func(t *testing.T, f *fleet) {
		p := ready(t, f.servers[0], "anna")
		f.ends[0].Cut(true)
		c := p.connect("")
		publish(t, f.servers[0], "anna", 1)
		if got := dataOf(t, c.text(t)); got != "1" {
			t.Errorf("events while the journal is away = %q; want 1", got)
		}
		publish(t, f.servers[1], "anna", 2) // of which nobody tells
		f.ends[0].Cut(false)
		if got := dataOf(t, p.connect("").text(t)); got != "2" {
			t.Errorf("events once it is back = %q; want 2", got)
		}
		time.Sleep(2 * renewEvery)
		p.s = f.servers[1]
		if c := p.connect(""); !c.held() {
			t.Errorf("connect elsewhere = %s; want it held", c.Body)
		}
	})
}

// Clients at other servers have what the journal did not take as soon as it does: in order, and once.
func TestEventsThatTheJournalDidNotTake(t *testing.T) {
	for name, errs := range map[string][2]error{"in time": {errAway, nil}, "as far as one can tell": {nil, errAway}} {
		t.Run(name, func(t *testing.T) { testUnkept(t, errs[0], errs[1]) })
	}
}

func testUnkept(t *testing.T, refused, unsaid error) {
	inFleet(t, Options{AckExtension: true}, func(t *testing.T, f *fleet) {
		here, there := ready(t, f.servers[0], "anna"), ready(t, f.servers[1], "anna")
		f.ends[0].Refuse(refused, unsaid)
		publish(t, f.servers[0], "anna", 1)
		publish(t, f.servers[0], "anna", 2)
		f.ends[0].Refuse(nil, nil)
		publish(t, f.servers[0], "anna", 3)
		if got := dataOf(t, here.connect("").text(t)); got != "1 2 3" {
			t.Errorf("here = %q; want 1 2 3 at once", got)
		}
		time.Sleep(renewEvery)
		synctest.Wait()
		publish(t, f.servers[0], "anna", 4)
		synctest.Wait()
		if got := dataOf(t, there.connect("").text(t)); got != "1 2 3 4" {
			t.Errorf("at another server = %q; want 1 2 3 4", got)
		}
		if got := dataOf(t, here.connect("").text(t)); got != "4" {
			t.Errorf("here afterwards = %q; want 4", got)
		}
		for _, p := range []*page{here, there} {
			p.s = f.servers[2]
			if c := p.connect(""); !c.held() {
				t.Errorf("at a third = %s; want it held", c.Body)
			}
		}
	})
}

func TestEventsThatWereForsaken(t *testing.T) {
	inFleet(t, Options{}, func(t *testing.T, f *fleet) {
		there := ready(t, f.servers[1], "anna")
		f.ends[0].Refuse(errAway, nil)
		publish(t, f.servers[0], "anna", 1)
		f.servers[0].Forsake("anna")
		f.ends[0].Refuse(nil, nil)
		publish(t, f.servers[1], "anna", 2)
		time.Sleep(2 * renewEvery)
		if got := dataOf(t, there.connect("").text(t)); got != "2" {
			t.Errorf("at another server = %q; want 2 alone", got)
		}
	})
}

func TestJournalThatForgot(t *testing.T) {
	inFleet(t, Options{}, func(t *testing.T, f *fleet) {
		p := ready(t, f.servers[0], "anna")
		f.Flush()
		p.s = f.servers[1]
		if got := p.connect("").text(t); !strings.Contains(got, "402::") || !strings.Contains(got, `"reconnect":"handshake"`) {
			t.Errorf("connect elsewhere = %s; want a new handshake", got)
		}
	})
}

func TestEventsThatAreNotKeptAskForAHandshake(t *testing.T) {
	inFleet(t, Options{}, func(t *testing.T, f *fleet) {
		f.Kept = 5
		p := ready(t, f.servers[0], "anna")
		f.ends[0].Cut(true)
		for i := range 6 {
			publish(t, f.servers[1], "anna", i)
		}
		p.s = f.servers[1]
		if got := p.connect("").text(t); !strings.Contains(got, "402::") {
			t.Errorf("connect = %s; want a new handshake: one event is not kept any more", got)
		}
	})
}

func TestOwnerEndsEverywhere(t *testing.T) {
	inFleet(t, Options{}, func(t *testing.T, f *fleet) {
		c := ready(t, f.servers[0], "anna").connect("")
		if !c.held() {
			t.Fatalf("connect = %s; want it held", c.Body)
		}
		f.servers[1].End("anna", None)
		if got := c.text(t); !strings.Contains(got, `"reconnect":"none"`) {
			t.Errorf("held connect = %s; want advice none", got)
		}
	})
}

func TestClientsOfAllServersCount(t *testing.T) {
	inFleet(t, Options{MaxClients: 2}, func(t *testing.T, f *fleet) {
		open(t, f.servers[0], "anna")
		open(t, f.servers[1], "anna")
		got := post(t, f.servers[2], "anna", `[{"channel":"/meta/handshake"}]`)
		if !strings.Contains(got, `"successful":false`) {
			t.Errorf("third handshake = %s; want a refusal", got)
		}
		time.Sleep(2 * time.Minute) // they never connect
		open(t, f.servers[2], "anna")
	})
}

// A server that died is one that is not heard of any more: the next one takes its clients.
func TestClientOfServerThatDied(t *testing.T) {
	inFleet(t, Options{AckExtension: true}, func(t *testing.T, f *fleet) {
		p := acking(t, f.servers[0], "anna")
		p.connect(`,"ext":{"ack":0}`).text(t)
		publish(t, f.servers[0], "anna", 1)
		lost := p.connect(`,"ext":{"ack":1}`).text(t)
		f.ends[0].Cut(true)
		p.s = f.servers[1]
		if got := dataOf(t, p.connect(`,"ext":{"ack":1}`).text(t)); got != "1" {
			t.Errorf("events after %s was lost = %q; want 1 again", lost, got)
		}
	})
}

// Answers without events are counted, but not told to the journal.
func TestBatchesThatTheNextServerDoesNotKnow(t *testing.T) {
	inFleet(t, Options{AckExtension: true}, func(t *testing.T, f *fleet) {
		p := acking(t, f.servers[0], "anna")
		for i := range 5 {
			p.connect(fmt.Sprintf(`,"ext":{"ack":%d},"advice":{"timeout":0}`, i)).text(t)
		}
		publish(t, f.servers[2], "anna", 1)
		p.s = f.servers[1]
		for range 2 {
			if got := dataOf(t, p.connect(`,"ext":{"ack":5}`).text(t)); got != "1" {
				t.Errorf("events = %q; want 1 until it is acknowledged", got)
			}
		}
	})
}

func TestBrowserGoesWithTheClient(t *testing.T) {
	inFleet(t, Options{}, func(t *testing.T, f *fleet) {
		for _, s := range f.servers {
			s.opts.TrustClientSession = false
		}
		p := open(t, f.servers[0], "anna")
		p.connect("").text(t)
		p.s = f.servers[1]
		if c := p.connect(""); !c.held() {
			t.Errorf("connect with the cookie = %s; want it held", c.Body)
		}
		p.s = f.servers[2]
		got := send(p.s, p.owner, "["+p.message(metaConnect, "")+"]", func(*http.Request) {}).text(t)
		if !strings.Contains(got, "402::") {
			t.Errorf("connect without the cookie = %s; want 402", got)
		}
	})
}
