package gateway

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/translate/htccapi"
)

const routePostChannel = "POST /api/v2/me/channels/{channel}"

// A lost is bjorn, who works on HTCC alone, in a world whose HTCC loses his session.
type lost struct {
	*world
	cloud *htccsim.Server
	bjorn *Agent
}

func newLost(t *testing.T) *lost {
	cloud := &htccsim.Server{}
	w := newUnion(t, &icwssim.Server{}, cloud)
	l := &lost{w, cloud, w.login("bjorn")}
	l.posted(l.bjorn, "", startTwo)
	time.Sleep(time.Second)
	l.posted(l.bjorn, "", `{"operationName":"NotReady"}`)
	time.Sleep(2 * time.Second)
	return l
}

// expire has the session end without a word.
func (l *lost) expire() {
	l.t.Helper()
	l.faultCloud(l.cloud, htccsim.Fault{Scenario: "expire-session", User: "bjorn"})
}

// logOut has the session end, and nobody hear that the agent is logged out with it.
func (l *lost) logOut() {
	l.t.Helper()
	l.faultCloud(l.cloud, htccsim.Fault{Route: routeHTCCLogin, Delay: time.Second, Times: 1})
	l.expire()
	l.faultCloud(l.cloud, htccsim.Fault{Scenario: "end-contact-center-session", User: "bjorn"})
}

// await waits until HTCC has the agent's device and channels in these states.
func (l *lost) await(want string) {
	l.t.Helper()
	for range 1000 {
		if l.atHTCC() == want {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	l.t.Fatalf("HTCC has %q; want %q", l.atHTCC(), want)
}

// posts returns what was posted to HTCC since the nth entry of its log.
func (l *lost) posts(since int) []string {
	var posts []string
	for _, entry := range l.cloud.Log()[since:] {
		var op string
		_ = json.Unmarshal(mustEncode(entry.Written["operationName"]), &op)
		if op != "" {
			posts = append(posts, op)
		}
	}
	return posts
}

// atHTCC returns the states of bjorn's device and channels there.
func (l *lost) atHTCC() string {
	l.t.Helper()
	state, err := l.cloud.State("bjorn")
	if err != nil {
		l.t.Fatal(err)
	}
	text := ""
	for _, channel := range state.Channels {
		text += fmt.Sprintf("%s:%s ", channel.Channel, channel.UserState.State)
	}
	return text
}

func TestWhatWasLeftIsNotBroughtBack(t *testing.T) {
	both := []string{"StartContactCenterSession", "NotReady", "NotReady"}
	for name, test := range map[string]struct {
		leave func(*lost)
		posts []string
		want  string
	}{
		"all was set Offline":   {func(l *lost) { l.posted(l.bjorn, "", `{"operationName":"Offline"}`) }, nil, "voice:LoggedOut chat:LoggedOut "},
		"chat was set Offline":  {func(l *lost) { l.posted(l.bjorn, "chat", `{"operationName":"Offline"}`) }, nil, "voice:NotReady chat:LoggedOut "},
		"voice was set Offline": {func(l *lost) { l.posted(l.bjorn, "voice", `{"operationName":"Offline"}`) }, nil, "voice:LoggedOut chat:NotReady "},
		"chat was set Offline a while ago": {func(l *lost) {
			l.posted(l.bjorn, "chat", `{"operationName":"Offline"}`)
			time.Sleep(time.Minute)
		}, nil, "voice:NotReady chat:LoggedOut "},
		"another client set chat Offline": {func(l *lost) {
			err := l.cloud.SetState(htccsim.StateChange{User: "bjorn", Channel: "chat", State: "LoggedOut"})
			if err != nil {
				l.t.Fatal(err)
			}
			time.Sleep(time.Second)
		}, nil, "voice:NotReady chat:LoggedOut "},
		"a supervisor logged the agent off": {func(l *lost) {
			l.faultCloud(l.cloud, htccsim.Fault{Scenario: "end-contact-center-session", User: "bjorn"})
			time.Sleep(time.Second)
		}, nil, "voice:LoggedOut chat:LoggedOut "},
		"all was started again since": {func(l *lost) {
			l.posted(l.bjorn, "", `{"operationName":"Offline"}`)
			l.posted(l.bjorn, "", startTwo)
			l.logOut()
		}, both, "voice:NotReady chat:NotReady "},
		"chat was taken up again since": {func(l *lost) {
			l.posted(l.bjorn, "", `{"operationName":"Offline"}`)
			l.posted(l.bjorn, "chat", `{"operationName":"NotReady"}`)
			l.logOut()
		}, []string{"StartContactCenterSession", "NotReady"}, "voice:LoggedOut chat:NotReady "},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLost(t)
				test.leave(l)
				before := len(l.cloud.Log())
				l.expire()
				time.Sleep(time.Minute)
				if posts := l.posts(before); !slices.Equal(posts, test.posts) {
					t.Errorf("posted %v; want %v", posts, test.posts)
				}
				if got := l.atHTCC(); got != test.want {
					t.Errorf("HTCC has %q; want %q", got, test.want)
				}
			})
		})
	}
}

// The switch makes voice Ready when it comes back, and HTCC does not take the NotReady that follows.
func TestWhatIsBroughtBackIsNotLeftReady(t *testing.T) {
	for name, test := range map[string]struct {
		fault htccsim.Fault
		want  string
	}{
		"one fails":                   {htccsim.Fault{Status: 500, Times: 1}, "voice:NotReady chat:NotReady "},
		"one finds no server":         {htccsim.Fault{Status: 503, Times: 1}, "voice:NotReady chat:NotReady "},
		"one breaks":                  {htccsim.Fault{Scenario: "reset-connection", Times: 1}, "voice:NotReady chat:NotReady "},
		"the answer to one is lost":   {htccsim.Fault{Status: 500, Times: 1, After: true}, "voice:NotReady chat:NotReady "},
		"one is not answered":         {htccsim.Fault{Scenario: "hang", Times: 1}, "voice:NotReady chat:NotReady "},
		"some fail":                   {htccsim.Fault{Status: 500, Times: 4}, "voice:NotReady chat:NotReady "},
		"all fail until it is enough": {htccsim.Fault{Status: 500, Times: 2 + quietTries + 1}, "voice:LoggedOut chat:NotReady "},
		"all are refused":             {htccsim.Fault{Status: 400, Times: 2 + quietTries + 1}, "voice:LoggedOut chat:NotReady "},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLost(t)
				test.fault.Route = routePostChannel
				l.faultCloud(l.cloud, test.fault)
				l.logOut()
				time.Sleep(2 * time.Minute)
				if got := l.atHTCC(); got != test.want {
					t.Errorf("HTCC has %q; want %q", got, test.want)
				}
				before := len(l.cloud.Log())
				l.posted(l.bjorn, "voice", `{"operationName":"NotReady"}`)
				l.posted(l.bjorn, "", `{"operationName":"Ready"}`)
				time.Sleep(5 * time.Minute)
				if posts := l.posts(before); !slices.Equal(posts, []string{"NotReady", "Ready"}) {
					t.Errorf("posted %v; want the agent's own alone", posts)
				}
			})
		})
	}
}

// A Start whose answer is lost may have been carried out. One that is refused has left nothing to take out of work.
func TestAReplayedStartThatFails(t *testing.T) {
	for name, test := range map[string]struct {
		fault htccsim.Fault
		posts []string
		want  string
	}{
		"its answer is lost": {htccsim.Fault{Status: 500, Times: 1, After: true}, []string{"StartContactCenterSession", "NotReady", "NotReady"},
			"voice:NotReady chat:NotReady "},
		"it is refused":        {htccsim.Fault{Status: 400, Times: 1}, nil, "voice:LoggedOut chat:LoggedOut "},
		"voice alone is taken": {htccsim.Fault{Scenario: "device-taken", Times: 1}, []string{"StartContactCenterSession", "NotReady"}, "voice:LoggedOut chat:NotReady "},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLost(t)
				if test.fault.Scenario == "" {
					test.fault.Route = "POST /api/v2/me"
				}
				l.faultCloud(l.cloud, test.fault)
				before := len(l.cloud.Log())
				l.logOut()
				time.Sleep(2 * time.Minute)
				if posts := l.posts(before); !slices.Equal(posts, test.posts) {
					t.Errorf("posted %v; want %v", posts, test.posts)
				}
				if got := l.atHTCC(); got != test.want {
					t.Errorf("HTCC has %q; want %q", got, test.want)
				}
			})
		})
	}
}

// One that fails keeps no other channel from being taken out of work at once.
func TestEachChannelIsTakenOutOfWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLost(t)
		l.posted(l.bjorn, "", `{"operationName":"StartContactCenterSession","channels":["chat","voice"]}`)
		time.Sleep(2 * time.Second)
		l.faultCloud(l.cloud, htccsim.Fault{Route: routePostChannel, Status: 500, Times: 1})
		l.logOut()
		before := l.cloud.Calls()[routePostChannel]
		l.await("voice:NotReady chat:NotReady ")
		if n := l.cloud.Calls()[routePostChannel] - before; n != 2 {
			t.Errorf("%d orders to channels until then; want 2", n)
		}
	})
}

// What the agent does meanwhile counts.
func TestAnOwnOperationGoesBeforeWhatWasBroughtBack(t *testing.T) {
	for _, step := range []struct {
		channel htccapi.MediaChannel
		op      htccapi.Operation
		want    string
	}{
		{"", "Ready", "voice:Ready chat:Ready "},
		{"voice", "Ready", "voice:Ready chat:NotReady "},
		{"voice", "Offline", "voice:LoggedOut chat:NotReady "},
		{"chat", "Ready", "voice:NotReady chat:Ready "},
		{"", "DoNotDisturbOn", "voice:NotReady chat:NotReady "},
	} {
		t.Run(string(step.op+" on "+htccapi.Operation(step.channel)), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLost(t)
				l.faultCloud(l.cloud, htccsim.Fault{Route: routePostChannel, Status: 500, Times: 2})
				l.logOut()
				l.await("voice:Ready chat:NotReady ")
				l.posted(l.bjorn, step.channel, fmt.Sprintf(`{"operationName":%q}`, step.op))
				time.Sleep(5 * time.Minute)
				if got := l.atHTCC(); got != step.want {
					t.Errorf("HTCC has %q; want %q", got, step.want)
				}
			})
		})
	}
}

// twoLost is newLost with another replica, which knows bjorn and does not read for him. Voice comes back and is not out of
// work yet.
func twoLost(t *testing.T) (l *lost, other *world) {
	t.Helper()
	l, other = twoLosing(t, 2)
	l.await("voice:Ready chat:NotReady ")
	return l, other
}

// twoLosing is twoLost while the first replica logs in again, which takes a second. Orders that HTCC gets fail some times.
func twoLosing(t *testing.T, fail int) (l *lost, other *world) {
	t.Helper()
	_, cloud, a, b := twoTellers(t)
	l = &lost{a, cloud, a.login("bjorn")}
	l.posted(l.bjorn, "", startTwo)
	settle()
	b.shows(b.cookie(l.bjorn.SessionID()))
	l.posted(l.bjorn, "", `{"operationName":"NotReady"}`)
	settle()
	l.faultCloud(cloud, htccsim.Fault{Route: routePostChannel, Status: 500, Times: fail})
	l.logOut()
	return l, b
}

// What the agent does at another replica counts for what it is about, and for nothing else.
func TestAnOperationElsewhereGoesBeforeWhatWasBroughtBack(t *testing.T) {
	for _, step := range []struct {
		channel htccapi.MediaChannel
		op      htccapi.Operation
		want    string
	}{
		{"", "Ready", "voice:Ready chat:Ready "},
		{"voice", "Ready", "voice:Ready chat:NotReady "},
		{"voice", "Offline", "voice:LoggedOut chat:NotReady "},
		{"chat", "Ready", "voice:NotReady chat:Ready "},
		{"chat", "NotReady", "voice:NotReady chat:NotReady "},
		{"", "DoNotDisturbOn", "voice:NotReady chat:NotReady "},
	} {
		t.Run(string(step.op+" on "+htccapi.Operation(step.channel)), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, other := twoLost(t)
				other.posted(other.cookie(l.bjorn.SessionID()), step.channel, fmt.Sprintf(`{"operationName":%q}`, step.op))
				time.Sleep(5 * time.Minute)
				if got := l.atHTCC(); got != step.want {
					t.Errorf("HTCC has %q; want %q", got, step.want)
				}
			})
		})
	}
}

// An operation at another replica that begins while nothing is brought back yet, and ends once all is, leaves what it is
// not about to be taken out of work.
func TestAnOperationElsewhereBeforeAReplayLeavesNothingReady(t *testing.T) {
	for _, step := range []struct {
		channel htccapi.MediaChannel
		body    string
		fail    int
	}{
		{"chat", `{"operationName":"NotReady"}`, 3}, // the first on the session that is gone
		{"", `{"operationName":"DoNotDisturbOn"}`, 2},
		{"", startTwo, 2},
	} {
		for wait := 100 * time.Millisecond; wait < time.Second; wait += 100 * time.Millisecond {
			t.Run(step.body+" after "+wait.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					l, other := twoLosing(t, step.fail)
					time.Sleep(wait)
					_, _ = other.post(other.cookie(l.bjorn.SessionID()), step.channel, step.body) // it may fail
					time.Sleep(5 * time.Minute)
					if got, want := l.atHTCC(), "voice:NotReady chat:NotReady "; got != want {
						t.Errorf("HTCC has %q; want %q", got, want)
					}
				})
			})
		}
	}
}

// TestWhatWasBroughtBackIsTakenOutOfWorkElsewhere has the replica that brought it back stop, while the other one knows of it
// and while not.
func TestWhatWasBroughtBackIsTakenOutOfWorkElsewhere(t *testing.T) {
	for _, knows := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			l, other := twoLost(t)
			id := l.bjorn.SessionID()
			synctest.Wait()
			if knows {
				other.cookie(id)
			}
			l.Close(t.Context())
			time.Sleep(time.Minute)
			other.cookie(id).expectReads(t, "where the other stopped", true)
			if got, want := l.atHTCC(), "voice:NotReady chat:NotReady "; got != want {
				t.Errorf("HTCC has %q; want %q", got, want)
			}
		})
	}
}

// An operation that comes while channels are brought back waits for their NotReady.
func TestWhatComesBackIsOutOfWorkBeforeAnyOtherOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLost(t)
		l.faultCloud(l.cloud, htccsim.Fault{Route: routePostChannel, Delay: 3 * time.Second, Times: 1})
		l.logOut()
		l.await("voice:Ready chat:NotReady ")
		l.posted(l.bjorn, "", `{"operationName":"Ready"}`)
		time.Sleep(time.Minute)
		if got, want := l.atHTCC(), "voice:Ready chat:Ready "; got != want {
			t.Errorf("HTCC has %q; want %q", got, want)
		}
	})
}

// TestAReadElsewhereDuringAReplayLeavesNothingReady has HTCC take its time for a Start, and lose the session meanwhile: the
// reader logs in again and brings both channels back, whose first NotReady fails. A read comes before HTCC answers.
func TestAReadElsewhereDuringAReplayLeavesNothingReady(t *testing.T) {
	for _, read := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			_, cloud, a, b := twoTellers(t)
			l := &lost{a, cloud, a.login("bjorn")}
			l.posted(l.bjorn, "", startTwo)
			settle()
			atB := b.cookie(l.bjorn.SessionID())
			b.shows(atB)
			l.posted(l.bjorn, "", `{"operationName":"NotReady"}`)
			settle()
			l.faultCloud(cloud, htccsim.Fault{Route: "POST /api/v2/me", Delay: 3 * time.Second, Times: 1})
			done := make(chan error)
			go func() {
				_, err := b.post(b.cookie(l.bjorn.SessionID()), "", startTwo)
				done <- err
			}()
			time.Sleep(100 * time.Millisecond)
			l.faultCloud(cloud, htccsim.Fault{Route: routePostChannel, Status: 500, Times: 2})
			l.logOut() // the log-in takes a second
			time.Sleep(1500 * time.Millisecond)
			if read {
				b.shows(b.cookie(l.bjorn.SessionID()))
			}
			<-done
			time.Sleep(5 * time.Minute)
			if got := l.atHTCC(); got != "voice:NotReady chat:NotReady " {
				t.Errorf("a read at B: %v: HTCC has %q; want both out of work", read, got)
			}
		})
	}
}
