package gateway

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
)

// TestWhatAnyReplicaBringsBackIsWhatTheReaderSawWanted has another client log an agent off chat, which the reader sees. A
// minute later HTCC loses the session, and whoever opens another may have read the channels long ago.
func TestWhatAnyReplicaBringsBackIsWhatTheReaderSawWanted(t *testing.T) {
	set := func(l *lost, state string) {
		l.t.Helper()
		err := l.cloud.SetState(htccsim.StateChange{User: "bjorn", Channel: "chat", State: state})
		if err != nil {
			l.t.Fatal(err)
		}
		time.Sleep(time.Minute)
	}
	for name, c := range map[string]struct {
		read func(*lost) // at both, when the other replica reads the channels
		then func(*lost)
		want string
	}{
		"left by another client": {nil, func(l *lost) { set(l, "LoggedOut") }, "voice:NotReady chat:LoggedOut "},
		"left by another client, and taken up again": {nil, func(l *lost) {
			set(l, "LoggedOut")
			set(l, "NotReady")
		}, "voice:NotReady chat:NotReady "},
		"read elsewhere while it was left, and taken up again": {func(l *lost) { set(l, "LoggedOut") }, func(l *lost) { set(l, "NotReady") }, "voice:NotReady chat:NotReady "},
		"only started": {nil, func(*lost) {}, "voice:NotReady chat:NotReady "},
	} {
		for _, first := range []string{"the reader", "the other"} {
			t.Run(name+", "+first+" logs in", func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					_, cloud, a, b := twoTellers(t)
					p := newPair(t, a, b, "bjorn", false)
					l := &lost{a, cloud, p.atA}
					l.posted(l.bjorn, "", startTwo)
					l.posted(l.bjorn, "", `{"operationName":"NotReady"}`)
					settle()
					if c.read != nil {
						c.read(l)
					}
					b.shows(p.atB)
					c.then(l)
					settle()
					if first == "the other" {
						l.faultCloud(cloud, htccsim.Fault{Route: routeHTCCLogin, Status: 500, Times: 1}) // the reader's
					}
					l.expire()
					l.faultCloud(cloud, htccsim.Fault{Scenario: "end-contact-center-session", User: "bjorn"})
					if first == "the other" {
						time.Sleep(10 * time.Millisecond)
						for range 2 { // the first may have the 500
							_, _ = b.Me(t.Context(), p.atB, nil)
						}
					}
					time.Sleep(time.Minute)
					if got := l.atHTCC(); got != c.want {
						t.Errorf("HTCC has %q; want %q", got, c.want)
					}
				})
			})
		}
	}
}

// TestWhatWasLeftIsNotBroughtBackByTheNextLossEither has HTCC lose the session again and again, and log the agent out with
// it: what it lists afterwards does not say any more what was left before.
func TestWhatWasLeftIsNotBroughtBackByTheNextLossEither(t *testing.T) {
	set := func(l *lost, state string) {
		l.t.Helper()
		err := l.cloud.SetState(htccsim.StateChange{User: "bjorn", Channel: "chat", State: state})
		if err != nil {
			l.t.Fatal(err)
		}
		time.Sleep(time.Minute)
	}
	const left, both = "voice:NotReady chat:LoggedOut ", "voice:NotReady chat:NotReady "
	for name, c := range map[string]struct {
		then  func(l *lost, loss int) // before each loss
		wants []string                // after each
	}{
		"another client logged chat off": {func(l *lost, loss int) {
			if loss == 0 {
				set(l, "LoggedOut")
			}
		}, []string{left, left, left}},
		"another client logged chat off, and the agent does something else right before": {func(l *lost, loss int) {
			if loss == 0 {
				set(l, "LoggedOut")
			}
			l.posted(l.bjorn, "voice", `{"operationName":"NotReady"}`)
		}, []string{left, left, left}},
		"the agent set chat Offline": {func(l *lost, loss int) {
			if loss == 0 {
				l.posted(l.bjorn, "chat", `{"operationName":"Offline"}`)
			}
		}, []string{left, left, left}},
		"another client logged chat off, and took it up later": {func(l *lost, loss int) {
			set(l, []string{"LoggedOut", "NotReady", "NotReady"}[loss])
		}, []string{left, both, both}},
		"another client logged chat off, and the agent started again": {func(l *lost, loss int) {
			switch loss {
			case 0:
				set(l, "LoggedOut")
			case 1:
				l.posted(l.bjorn, "", startTwo)
			}
		}, []string{left, both, both}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLost(t)
				for loss, want := range c.wants {
					c.then(l, loss)
					l.logOut()
					time.Sleep(time.Minute)
					if got := l.atHTCC(); got != want {
						t.Errorf("after loss %d HTCC has %q; want %q", loss+1, got, want)
					}
				}
			})
		})
	}
}

// TestAnOperationOnAllPassesByWhatWasLeftAndIsNotListed has HTCC lose the session of an agent on both sites, and log them
// out with it, after chat was left.
func TestAnOperationOnAllPassesByWhatWasLeftAndIsNotListed(t *testing.T) {
	for name, leave := range map[string]func(*world, *htccsim.Server, *Agent){
		"the agent set chat Offline": func(w *world, _ *htccsim.Server, cleo *Agent) { w.posted(cleo, "chat", `{"operationName":"Offline"}`) },
		"another client logged chat off": func(w *world, cloud *htccsim.Server, _ *Agent) {
			err := cloud.SetState(htccsim.StateChange{User: "cleo", Channel: "chat", State: "LoggedOut"})
			if err != nil {
				w.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := &htccsim.Server{}
				w := newUnion(t, &icwssim.Server{}, cloud)
				cleo := w.login("cleo")
				settle()
				w.posted(cleo, "", startAll)
				w.posted(cleo, "", `{"operationName":"Ready"}`)
				time.Sleep(time.Minute)
				leave(w, cloud, cleo)
				time.Sleep(time.Minute)
				w.faultCloud(cloud, htccsim.Fault{Route: routeHTCCLogin, Delay: time.Second, Times: 1})
				w.faultCloud(cloud, htccsim.Fault{Scenario: "expire-session", User: "cleo"})
				w.faultCloud(cloud, htccsim.Fault{Scenario: "end-contact-center-session", User: "cleo"})
				time.Sleep(time.Minute)
				for _, op := range []string{"NotReady", "Ready"} {
					outcome, err := w.post(cleo, "", `{"operationName":"`+op+`"}`)
					if got := sides(outcome); err != nil || got != "+voice +email" {
						t.Errorf("%s on all channels = %s, %v; want voice and email", op, got, err)
					}
					time.Sleep(time.Minute)
				}
				outcome, err := w.post(cleo, "", startAll)
				if got := sides(outcome); err != nil || got != "+voice +chat +email" {
					t.Errorf("Start = %s, %v; want all channels", got, err)
				}
				w.posted(cleo, "", `{"operationName":"Ready"}`)
				time.Sleep(time.Minute)
				w.expect(cleo, "Ready", "voice:Ready email:Ready chat:Ready Active dnd:Off")
			})
		})
	}
}

// TestAFailedReadTakesNoChannelUp has one read of HTCC fail before NotReady, which takes up a channel that is logged out,
// and all that have said how the channels are has been a read.
func TestAFailedReadTakesNoChannelUp(t *testing.T) {
	leaveChat := func(w *world, cloud *htccsim.Server) {
		w.setCloud(cloud, htccsim.StateChange{User: "cleo", Channel: "chat", State: "LoggedOut"})
	}
	for name, play := range map[string]func(t *testing.T, fail func(*world, *htccsim.Server)) (*world, *Agent){
		"at a replica that does not read, of one who came to email alone": func(t *testing.T, fail func(*world, *htccsim.Server)) (*world, *Agent) {
			_, cloud, a, b := twoTellers(t)
			p := newPair(t, a, b, "cleo", false)
			settle()
			leaveChat(a, cloud)
			a.setCloud(cloud, htccsim.StateChange{User: "cleo", Channel: "email", State: "NotReady"})
			time.Sleep(time.Minute)
			b.posted(p.atB, "", `{"operationName":"Ready"}`)
			time.Sleep(time.Minute)
			fail(a, cloud)
			return b, p.atB
		},
		"at a replica that does not read, of one who was logged off chat": func(t *testing.T, fail func(*world, *htccsim.Server)) (*world, *Agent) {
			_, cloud, a, b := twoTellers(t)
			p := newPair(t, a, b, "cleo", false)
			settle()
			a.posted(p.atA, "", startAll)
			settle()
			b.posted(p.atB, "email", `{"operationName":"NotReady"}`)
			time.Sleep(time.Second)
			leaveChat(a, cloud)
			time.Sleep(time.Second)
			fail(a, cloud)
			return b, p.atB
		},
		"in one process, without notifications": func(t *testing.T, fail func(*world, *htccsim.Server)) (*world, *Agent) {
			cloud := &htccsim.Server{}
			w := newUnion(t, &icwssim.Server{}, cloud)
			cleo := w.login("cleo")
			settle()
			w.posted(cleo, "", startAll)
			settle()
			leaveChat(w, cloud)
			time.Sleep(time.Minute)
			w.breakCometD(cloud, "cleo")
			time.Sleep(2 * time.Second)
			w.posted(cleo, "email", `{"operationName":"NotReady"}`)
			fail(w, cloud)
			w.shows(cleo)
			return w, cleo
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, cleo := play(t, func(w *world, cloud *htccsim.Server) {
					w.faultCloud(cloud, htccsim.Fault{Route: routeMe, Status: 503, Times: 1})
				})
				_, _ = w.post(cleo, "", `{"operationName":"NotReady"}`) // it may be refused
				time.Sleep(time.Minute)
				_, _ = w.post(cleo, "", `{"operationName":"Ready"}`)
				time.Sleep(time.Second)
				if got := w.shows(cleo); !strings.Contains(got, "chat:LoggedOut") {
					t.Errorf("chat, which was left, is offered work: %s", got)
				}
			})
		})
	}
}
