package push

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// late has server 0 publish from now on what the journal does not take, until its end is called. That returns once
// the journal has it.
func (f *fleet) late() (end func()) {
	f.ends[0].Refuse(errAway, nil)
	return func() {
		f.ends[0].Refuse(nil, nil)
		time.Sleep(renewEvery)
		synctest.Wait()
	}
}

// A client that a server gave an event is not given it again elsewhere, once the journal has it, but what it was not.
func TestEventsThatAClientHadBeforeTheJournal(t *testing.T) {
	for _, name := range []string{"it goes on elsewhere before the journal has them", "it goes on elsewhere afterwards"} {
		t.Run(name, func(t *testing.T) {
			inFleet(t, Options{}, func(t *testing.T, f *fleet) {
				p, other := ready(t, f.servers[0], "anna"), ready(t, f.servers[1], "anna")
				end := f.late()
				publish(t, f.servers[0], "anna", 1)
				publish(t, f.servers[0], "anna", 2)
				got := dataOf(t, p.connect("").text(t))
				publish(t, f.servers[0], "anna", 3)
				if name == "it goes on elsewhere afterwards" {
					end()
				}
				p.s = f.servers[1]
				c := p.connect("")
				synctest.Wait()
				end()
				got += " " + dataOf(t, c.text(t))
				publish(t, f.servers[1], "anna", 4)
				got += " " + dataOf(t, p.connect("").text(t))
				if got != "1 2 3 4" {
					t.Errorf("events = %s; want 1 2 3 4", got)
				}
				if got := dataOf(t, other.connect("").text(t)); got != "1 2 3 4" {
					t.Errorf("events of another client = %s; want 1 2 3 4", got)
				}
			})
		})
	}
}

// What the journal took without an answer is given again to who goes on elsewhere: so is all that came after it, in order.
func TestEventsThatTheJournalTookWithoutAnAnswer(t *testing.T) {
	for name, first := range map[string]func(testing.TB, *Server, string, any){"news": publish, "what holds already": publishAgain} {
		t.Run(name, func(t *testing.T) {
			inFleet(t, Options{}, func(t *testing.T, f *fleet) {
				p, other := ready(t, f.servers[0], "anna"), ready(t, f.servers[1], "anna")
				f.ends[0].Refuse(nil, errAway)
				first(t, f.servers[0], "anna", 1)
				end := f.late()
				publish(t, f.servers[0], "anna", 2)
				publish(t, f.servers[0], "anna", 3)
				if got := dataOf(t, p.connect("").text(t)); got != "1 2 3" {
					t.Errorf("events = %s; want 1 2 3", got)
				}
				p.s = f.servers[1]
				if got := dataOf(t, p.connect("").text(t)); got != "1" {
					t.Errorf("events elsewhere = %s; want 1 again", got)
				}
				publish(t, f.servers[0], "anna", 4)
				end()
				if got := dataOf(t, p.connect("").text(t)); got != "2 3 4" {
					t.Errorf("events after that = %s; want 2 3 4", got)
				}
				if got := dataOf(t, other.connect("").text(t)); got != "1 2 3 4" {
					t.Errorf("events of another client = %s; want 1 2 3 4", got)
				}
			})
		})
	}
}

// What waited for the journal does not wait for long once it answers.
func TestEventsThatWaitedAreInTheJournalSoon(t *testing.T) {
	inFleet(t, Options{}, func(t *testing.T, f *fleet) {
		other := ready(t, f.servers[1], "anna")
		time.Sleep(renewEvery / 5)
		f.ends[0].Refuse(errAway, nil)
		publish(t, f.servers[0], "anna", 1)
		f.ends[0].Refuse(nil, nil)
		time.Sleep(lateEvery)
		synctest.Wait()
		if got := dataOf(t, other.connect(`,"advice":{"timeout":0}`).text(t)); got != "1" {
			t.Errorf("events of another client = %q; want 1", got)
		}
	})
}

func TestEventsThatAClientAcknowledgedBeforeTheJournalHadThem(t *testing.T) {
	for acked, want := range map[int]string{2: "4", 1: "2 3 4", 0: "1 2 3 4"} {
		t.Run(fmt.Sprintf("up to batch %d", acked), func(t *testing.T) {
			inFleet(t, Options{AckExtension: true}, func(t *testing.T, f *fleet) {
				p := acking(t, f.servers[0], "anna")
				end := f.late()
				publish(t, f.servers[0], "anna", 1)
				p.connect(`,"ext":{"ack":0}`).text(t)
				publish(t, f.servers[0], "anna", 2)
				publish(t, f.servers[0], "anna", 3)
				if got := dataOf(t, p.connect(fmt.Sprintf(`,"ext":{"ack":%d}`, min(acked, 1))).text(t)); got != "2 3" && got != "1 2 3" {
					t.Fatalf("events = %s", got)
				}
				p.s = f.servers[1]
				p.connect(fmt.Sprintf(`,"ext":{"ack":%d},"advice":{"timeout":0}`, acked)).text(t)
				end()
				publish(t, f.servers[1], "anna", 4)
				if got := dataOf(t, p.connect(fmt.Sprintf(`,"ext":{"ack":%d}`, acked)).text(t)); got != want {
					t.Errorf("events elsewhere = %s; want %s", got, want)
				}
			})
		})
	}
}

func TestEventsThatAClientDidNotGetBeforeItLeft(t *testing.T) {
	poll := func(t *testing.T, p *page, s *Server) {
		p.s = s
		if got := dataOf(t, p.connect(`,"advice":{"timeout":0}`).text(t)); got != "" {
			t.Errorf("events = %s; want none: the journal does not have them", got)
		}
		synctest.Wait() // until the other server has heard of it
	}
	t.Run("and comes back", func(t *testing.T) {
		inFleet(t, Options{}, func(t *testing.T, f *fleet) {
			p := ready(t, f.servers[0], "anna")
			end := f.late()
			publish(t, f.servers[0], "anna", 1)
			poll(t, p, f.servers[1])
			poll(t, p, f.servers[0])
			end()
			if got := dataOf(t, p.connect("").text(t)); got != "1" {
				t.Errorf("events = %s; want 1", got)
			}
		})
	})
	t.Run("which nobody heard of", func(t *testing.T) {
		inFleet(t, Options{}, func(t *testing.T, f *fleet) {
			p := ready(t, f.servers[0], "anna")
			f.ends[0].Cut(true)
			publish(t, f.servers[0], "anna", 1)
			p.s = f.servers[1]
			c := p.connect("")
			time.Sleep(20 * time.Second) // the first server takes the client for gone
			f.ends[0].Cut(false)
			if got := dataOf(t, c.text(t)); got != "1" {
				t.Errorf("events = %s; want 1", got)
			}
		})
	})
}

// publishAgain publishes on devices what holds already.
func publishAgain(t testing.TB, s *Server, owner string, data any) {
	t.Helper()
	err := s.PublishAll(owner, Publication{Channel: devices, Data: data, Received: time.Now(), Again: true})
	if err != nil {
		t.Error(err)
	}
}

// What says nothing new is not given to clients of another server after what that one has published meanwhile.
func TestEventsThatSayNothingNewDoNotWaitForTheJournal(t *testing.T) {
	inFleet(t, Options{}, func(t *testing.T, f *fleet) {
		p, other := ready(t, f.servers[0], "anna"), ready(t, f.servers[1], "anna")
		end := f.late()
		publishAgain(t, f.servers[0], "anna", "again")
		publish(t, f.servers[1], "anna", "new")
		end()
		publishAgain(t, f.servers[0], "anna", "after")
		synctest.Wait()
		if got := dataOf(t, p.connect("").text(t)); got != "again new after" {
			t.Errorf("events where it was published = %s; want again new after", got)
		}
		if got := dataOf(t, other.connect("").text(t)); got != "new after" {
			t.Errorf("events elsewhere = %s; want new after", got)
		}
	})
}

// slowEnd takes entries until something happens before it answers, and then does not.
type slowEnd struct {
	*MemoryEnd
	meanwhile func()
}

func (e *slowEnd) Append(ctx context.Context, owner string, entry Entry) (uint64, error) {
	if e.meanwhile == nil {
		return e.MemoryEnd.Append(ctx, owner, entry)
	}
	e.meanwhile()
	return 0, errAway
}

func TestEventsThatSayNothingNewAreNotToldAfterNewerOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := NewMemory()
		slow := &slowEnd{MemoryEnd: memory.End()}
		ctx, cancel := context.WithCancel(t.Context())
		var servers []*Server
		for _, journal := range []Journal{slow, memory.End()} {
			s := newServer(t, Options{Journal: journal})
			servers = append(servers, s)
			go func() { _ = s.Run(ctx) }()
		}
		p := ready(t, servers[0], "anna")
		slow.meanwhile = func() {
			publish(t, servers[1], "anna", "new")
			synctest.Wait()
		}
		publishAgain(t, servers[0], "anna", "again")
		slow.meanwhile = nil
		if got := dataOf(t, p.connect("").text(t)); got != "new" {
			t.Errorf("events = %s; want new", got)
		}
		cancel()
		for _, s := range servers {
			s.Close()
		}
		synctest.Wait()
	})
}
