package gateway

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc"
	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws"
	"portico/proxy/icws/icwssim"
	"portico/proxy/session"
	"portico/translate"
	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

// What two goroutines know of one agent counts in the order in which it happened, not in that in which they come.

const atLunch = "voice:NotReadyAt Lunch email:NotReadyAt Lunch Active dnd:Off"

func annaIs(statusID string) icwsapi.UserStatus {
	return icwsapi.UserStatus{UserID: "anna", StatusID: statusID}
}

func said(statusID string) icwsapi.UserStatusMessage {
	return icwsapi.UserStatusMessage{UserStatusList: []icwsapi.UserStatus{annaIs(statusID)}}
}

// inWorld runs a test with an agent who is read for.
func inWorld(t *testing.T, test func(w *world, anna *Agent, p *icwsPart)) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		anna := w.login("anna")
		w.shows(anna)
		time.Sleep(time.Second)
		test(w, anna, anna.parts[0].(*icwsPart))
	})
}

func (p *icwsPart) expectStatus(t *testing.T, when, want string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if got := p.state.Status.StatusID; got != want {
		t.Errorf("%s the status is %q; want %q", when, got, want)
	}
}

func TestAReadThatBeganBeforeAnotherDoesNotCountAfterIt(t *testing.T) {
	inWorld(t, func(w *world, anna *Agent, p *icwsPart) {
		take := func(began moment, statusID string) {
			p.update(func(s translate.AgentState, d *translate.Directory) (translate.AgentState, translate.Heard) {
				return p.site.Rules.HeardStatus(s, p.asOfLocked(began, annaIs(statusID)), d)
			})
		}
		first, second := p.moment(), p.moment()
		take(second, "At Lunch")
		take(first, "In a meeting")
		w.expect(anna, "after the answer to the first read", atLunch)
	})
}

func TestAReadOfBeforeAPlanDoesNotCountAfterIt(t *testing.T) {
	inWorld(t, func(w *world, anna *Agent, p *icwsPart) {
		began := p.moment()
		p.sent(translate.Plan{Next: p.state}, "")
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.moments.isOld(began) {
			t.Error("a read that began before what was set counts")
		}
	})
}

func TestAReadOfAnHTCCSiteThatBeganBeforeAnotherDoesNotCountAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w := newUnion(t, &icwssim.Server{}, cloud)
		bjorn := w.login("bjorn")
		w.posted(bjorn, "", startTwo)
		time.Sleep(time.Minute)
		p := bjorn.parts[0].(*htccPart)
		read := func() htcc.Object {
			user, err := p.site.HTCC.Me(t.Context(), p.session, htccapi.SubDevices, htccapi.SubChannels)
			if err != nil {
				t.Fatal(err)
			}
			return user
		}
		before := read()
		err := cloud.SetState(htccsim.StateChange{User: "bjorn", Channel: "chat", State: "Ready"})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		want := w.shows(bjorn)
		first, second := p.moment(), p.moment()
		p.take(read(), second)
		p.take(before, first)
		w.expect(bjorn, "after the answer to the first read", want)
	})
}

// The status that the site has is not the one that is shown, and nothing is told of it any more.
func TestWhatIsDoubtedIsRead(t *testing.T) {
	inWorld(t, func(w *world, anna *Agent, p *icwsPart) {
		want := w.shows(anna)
		p.update(func(s translate.AgentState, d *translate.Directory) (translate.AgentState, translate.Heard) {
			s, _ = p.site.Rules.HeardStatus(s, annaIs("At Lunch"), d)
			return s, translate.Heard{Doubted: true}
		})
		time.Sleep(time.Second)
		w.expect(anna, "a moment later", want)
	})
}

func TestMessagesOfAReplacedSessionDoNotCount(t *testing.T) {
	inWorld(t, func(w *world, anna *Agent, p *icwsPart) {
		want := w.shows(anna)
		p.receiveFrom(new(icws.Conn), said("At Lunch"))
		w.expect(anna, "after a message of another session", want)
		p.receiveFrom(p.link.conn, said("At Lunch"))
		w.expect(anna, "after one of its own", atLunch)
	})
}

func TestWhatIsToldDuringARecoveryComesAfterIt(t *testing.T) {
	inWorld(t, func(w *world, anna *Agent, p *icwsPart) {
		w.fault(icwssim.Fault{Route: routeGetStatus, Delay: time.Second})
		p.lose()
		recovery := make(chan error, 1)
		go func() { recovery <- p.restoreAlone(context.WithoutCancel(t.Context())) }()
		time.Sleep(500 * time.Millisecond)
		p.hear(said("At Lunch"))
		err := <-recovery
		if err != nil {
			t.Fatal(err)
		}
		p.expectStatus(t, "after the recovery", "At Lunch")
	})
}

// After a break the list that comes first is what holds, though it says what the last message before said.
func TestAListAfterABreakCounts(t *testing.T) {
	inWorld(t, func(w *world, anna *Agent, p *icwsPart) {
		list := said("At Lunch")
		list.UserStatusList[0].StatusChanged = new(icwsapi.NewTime(time.Now()))
		p.hear(list)
		p.update(func(s translate.AgentState, d *translate.Directory) (translate.AgentState, translate.Heard) {
			return p.site.Rules.HeardStatus(s, annaIs("In a meeting"), d)
		})
		p.hear(list)
		p.expectStatus(t, "after a list from before a read", "In a meeting")
		p.setLive(false)
		p.setLive(true)
		p.hear(list)
		p.expectStatus(t, "after the break", "At Lunch")
	})
}

func TestAFailureIsNotLostInAConfirmation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatched(t, &icwssim.Server{})
		anna := w.login("anna")
		w.shows(anna)
		p := anna.parts[0].(*icwsPart)
		state := p.state
		state.Pending = []translate.Pending{{RequestID: "7", Choice: translate.Choice{StatusID: state.Status.StatusID}, Seen: true}}
		_, heard := p.seen(state, translate.Heard{Failed: &translate.Completion{RequestID: "8"}}, p.directory.Directory)
		if heard.Failed == nil || !heard.Confirmed {
			t.Errorf("heard %+v; want both", heard)
		}
	})
}

func TestAnOlderReadOfTheStoreBringsNoOlderWishes(t *testing.T) {
	inWorld(t, func(w *world, anna *Agent, p *icwsPart) {
		read := func(wished int, out ...htccapi.MediaChannel) {
			asked := mustEncode(translate.Asked{LoggedOut: out})
			anna.recall(session.Session{Wished: wished, Wishes: map[string][]byte{p.siteName(): asked}})
		}
		read(2, "email")
		want := w.shows(anna)
		read(1)
		w.expect(anna, "after an older read", want)
	})
}
