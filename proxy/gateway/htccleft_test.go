package gateway

import (
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc/htccsim"
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
