package fleet

import (
	"encoding/json"
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"
)

var agents = flag.Int("agents", 500, "how many agents work at the fleet whose requests go round")

// TestLiveRoundRobin has each request go to another replica than the one before, as far as can be.
func TestLiveRoundRobin(t *testing.T) {
	s := newStage(t, Settings{StoreTimeout: busy})
	t.Run("at once elsewhere", func(t *testing.T) { testAtOnce(t, s) })
	playShift(t, s, *agents)
}

// TestLiveSticky has a session's requests go to one replica, as long as that is there.
func TestLiveSticky(t *testing.T) {
	programs(t)
	t.Parallel()
	playShift(t, newStage(t, Settings{Sticky: true, StoreTimeout: busy}), *agents)
}

// busy is how long a call of the store may take on a machine that is busy with other things.
const busy = 5 * time.Second

func playShift(t *testing.T, s *stage, agents int) {
	began := time.Now()
	s.staff(agents)
	t.Logf("%d agents logged in and listening after %v", agents, time.Since(began).Round(time.Millisecond))
	t.Run("rolling restart", func(t *testing.T) { testRollingRestart(t, s) })
	t.Run("kill -9", func(t *testing.T) { testKill(t, s) })
}

// How long an agent waits before they read, or write and read, again; and how often their state changes.
const (
	every    = 3000 // ms
	perAgent = 5 * time.Second
)

// testRollingRestart restarts each replica while agents read and write and their states change.
func testRollingRestart(t *testing.T, s *stage) {
	w := s.watch(t)
	for _, r := range s.Replicas {
		must(t, r.Stop())
		must(t, r.Start())
		time.Sleep(time.Second) // as a deployment takes its time
	}
	w.settle()
	w.succeeded()
	w.told()
}

// testKill ends one replica without notice.
func testKill(t *testing.T, s *stage) {
	w := s.watch(t)
	time.Sleep(time.Second)
	killed, before := time.Now(), s.changes.now()
	must(t, s.Replicas[1].Kill())
	w.abrupt = true
	var longest time.Duration
	within(t, time.Minute, "all agents are told of changes after the end of a replica", func() bool {
		var all bool
		longest, all = toldSince(s.accounts(), before, killed)
		return all
	})
	t.Logf("all agents were told of changes again within %v", longest.Round(time.Millisecond))
	must(t, s.Replicas[1].Start())
	w.settle()
	accounts := s.accounts()
	failed := failures(accounts)
	t.Logf("%d requests failed", len(failed))
	for _, e := range failed {
		if after := time.UnixMilli(e.At).Sub(killed); after > lease || after < 0 {
			t.Errorf("failed %v after the end of a replica: %s", after, e.What)
		}
	}
	w.told()
}

const lease = 15 * time.Second

// toldSince returns how long it took until each agent was told of a state newer than one from before,
// and whether all were.
func toldSince(accounts map[string]Account, before map[string]int, killed time.Time) (time.Duration, bool) {
	var longest time.Duration
	for name, last := range before {
		found := false
		for _, one := range accounts[name].Devices {
			if one.State > step(last) {
				found = true
				longest = max(longest, time.UnixMilli(one.At).Sub(killed))
				break
			}
		}
		if !found {
			return 0, false
		}
	}
	return longest, true
}

// testAtOnce has one agent go from one replica to another.
func testAtOnce(t *testing.T, s *stage) {
	a, b := "http://"+s.Replicas[0].Door+"/api/v2", "http://"+s.Replicas[1].Door+"/api/v2"
	agent := Agent(9000)
	cookie := s.Replicas[0].me(t, agent, "").cookie
	for _, state := range []string{"Ready", "NotReady", "Ready", "NotReady"} {
		got := send(t, "POST", a+"/me/channels/voice", agent, cookie, fmt.Sprintf(`{"operationName":%q}`, state))
		if got.status != 200 {
			t.Fatalf("POST: %+v", got)
		}
		got = send(t, "GET", b+"/me/channels/voice?fields=*", agent, cookie, "")
		if got.status != 200 || !strings.Contains(got.body, `"state":"`+state+`"`) {
			t.Fatalf("GET elsewhere: %+v; want %s", got, state)
		}
	}
	client := handshake(t, a, agent, cookie)
	heard := make(chan string, 1)
	go func() {
		defer close(heard) // also when it fails
		heard <- send(t, "POST", b+"/notifications/connect", agent, cookie,
			fmt.Sprintf(`[{"id":"9","channel":"/meta/connect","connectionType":"long-polling","clientId":%q}]`, client)).body
	}()
	time.Sleep(300 * time.Millisecond)
	must(t, control(t.Context(), s.ICWS, "state", map[string]string{"user": agent, "statusId": step(1)}))
	if said := <-heard; !strings.Contains(said, step(1)) {
		t.Errorf("the client that shook hands elsewhere was told %s; want %s", said, step(1))
	}
}

// handshake returns the id of a client that subscribed and connected at a replica.
func handshake(t *testing.T, at, agent, cookie string) string {
	t.Helper()
	shaken := send(t, "POST", at+"/notifications/handshake", agent, cookie,
		`[{"id":"1","channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["long-polling"]}]`)
	var replies []struct{ ClientID string }
	must(t, json.Unmarshal([]byte(shaken.body), &replies))
	client := replies[0].ClientID
	got := send(t, "POST", at+"/notifications", agent, cookie, fmt.Sprintf(
		`[{"id":"2","channel":"/meta/subscribe","subscription":"/v2/me/devices","clientId":%[1]q},
		{"id":"3","channel":"/meta/connect","connectionType":"long-polling","clientId":%[1]q,"advice":{"timeout":0}}]`, client))
	if strings.Count(got.body, `"successful":true`) != 2 {
		t.Fatalf("subscribe and connect: %s", got.body)
	}
	return client
}
