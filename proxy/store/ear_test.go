package store

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"portico/proxy/push"
	"portico/proxy/session"
)

// TestAUserWhoMayNotUseTheChannels takes the leave for the channels from the store's user, and gives it back.
func TestAUserWhoMayNotUseTheChannels(t *testing.T) {
	for name, atFirst := range map[string]string{"from the beginning": "resetchannels", "later": "&portico:*"} {
		t.Run(name, func(t *testing.T) {
			server := startServer(t)
			server.cli(t, "ACL", "SETUSER", "portico", "on", ">canary", "~portico:*", "+@all", "resetchannels", atFirst)
			reg := prometheus.NewRegistry()
			up := func() bool {
				return testutil.GatherAndCompare(reg, strings.NewReader(upIs1), "portico_session_store_up") == nil
			}
			var log bytes.Buffer // of Run; read when what is up has changed
			asUser := func(s *Settings) { s.User, s.Password = "portico", "canary" }
			v, other := server.open(t, func(s *Settings) {
				asUser(s)
				s.Metrics, s.Log = session.NewMetrics(reg), slog.New(slog.NewTextHandler(&log, nil))
			}), server.open(t, asUser)
			heard, notices := make(chan string, 1000), make(chan push.Notice, 1000)
			for _, name := range []string{"anna", "bjorn"} {
				t.Cleanup(v.Bell().Hear(name, func() { heard <- name }))
			}
			goes(t, v.Journal(), notices)
			running(t, v)
			isHeard := func() bool {
				_ = other.Bell().Ring(t.Context(), "anna")
				select {
				case <-heard:
					return true
				case <-time.After(10 * time.Millisecond):
					return false
				}
			}
			if atFirst != "resetchannels" {
				await(t, "it is heard", isHeard)
				await(t, "notices are heard", func() bool { return len(notices) > 0 })
				await(t, "up", up)
				server.cli(t, "ACL", "SETUSER", "portico", "resetchannels")
			}
			await(t, "down", func() bool { return !up() })
			if !v.Up() {
				t.Error("operations fail; want them to go on")
			}
			must(t, v.Sessions().Put(t.Context(), session.Session{ID: "a1", Login: "anna"}, time.Hour))
			if up() {
				t.Error("the store is taken to be up after an operation; want it down while nothing is heard")
			}
			empty(heard)
			empty(notices)

			server.cli(t, "ACL", "SETUSER", "portico", "&portico:*")
			await(t, "all that may have been rung is heard", func() bool { return len(heard) >= 2 && len(notices) > 0 })
			await(t, "up", up)
			empty(heard)
			await(t, "a bell is heard", isHeard)
			said := log.String()
			if strings.Count(said, "level=ERROR") != 1 || !strings.Contains(said, "portico:*") || !strings.Contains(said, "NOPERM") || !strings.Contains(said, "again") {
				t.Errorf("the log says:\n%s\nwant one error that names the channels, and that it is over", said)
			}
		})
	}
}

func empty[T any](c <-chan T) {
	for len(c) > 0 {
		<-c
	}
}

// TestABrokenConnectionIsNoLackOfLeave breaks what a replica listens with.
func TestABrokenConnectionIsNoLackOfLeave(t *testing.T) {
	server := startServer(t)
	v := server.open(t, nil)
	heard, notices := make(chan string, 1000), make(chan push.Notice, 1000)
	t.Cleanup(v.Bell().Hear("anna", func() { heard <- "anna" }))
	goes(t, v.Journal(), notices)
	for range 3 {
		await(t, "both begin anew", func() bool { return len(heard) > 0 && len(notices) > 0 })
		empty(heard)
		empty(notices)
		must(t, v.ears.deaf())
		must(t, server.admin.Do(t.Context(), "CLIENT", "KILL", "TYPE", "pubsub").Err())
	}
	await(t, "both begin anew", func() bool { return len(heard) > 0 && len(notices) > 0 })
	time.Sleep(earWaits + earLooks)
	must(t, v.ears.deaf())
}

// TestAnEarAsksAgain has the library forget a channel.
func TestAnEarAsksAgain(t *testing.T) {
	server := startServer(t)
	v := server.open(t, nil)
	heard := make(chan string, 10)
	stop := v.Bell().Hear("anna", func() { heard <- "anna" })
	<-heard
	channel := bellPrefix + nameOf("anna")
	must(t, v.bell.ear.channels.Unsubscribe(t.Context(), channel))
	await(t, "it is subscribed to again", func() bool { return len(heard) > 0 })
	stop()
	server.await(t, "0", "EVAL", "return redis.call('PUBSUB', 'NUMSUB', ARGV[1])[2] .. ''", "0", channel)
	time.Sleep(earWaits + earLooks)
	server.await(t, "0", "EVAL", "return redis.call('PUBSUB', 'NUMSUB', ARGV[1])[2] .. ''", "0", channel)
}
