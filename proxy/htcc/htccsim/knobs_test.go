package htccsim

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestSettings(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "bjorn")
		c.listen("/v2/me/*")
		held := make(chan []message)
		go func() { held <- c.speak(connectMessage) }()
		time.Sleep(time.Second)
		const settings = `{"connectTimeout":"2s","lenientCometD":true,"maxInterval":"5s"}`
		operator := stranger(t, s)
		want(t, "POST", operator.must("POST", "/_sim/settings", settings).body, settings)
		want(t, "GET", operator.must("GET", "/_sim/settings", "").body, settings)
		<-held // the connect of before has come back
		if got := c.speak(connectMessage)[0]; got.Error != "402::Unknown client" || got.Advice.Reconnect != "handshake" {
			t.Errorf("connect after the restart = %s; want 402 and to shake hands", got.raw)
		}
		c.listen("/v2/me/*")
		began := time.Now()
		c.connect()
		if held := time.Since(began); held != 2*time.Second {
			t.Errorf("connect was held for %v; want 2s", held)
		}
		c.http.Jar = nil
		c.header.Set("Authorization", basic("bjorn", "bjorn")[1])
		if got := c.speak(connectMessage)[0]; got.Error != "" {
			t.Errorf("connect without cookies = %s; want none", got.raw)
		}
		time.Sleep(7 * time.Second)
		if got := c.speak(connectMessage)[0]; got.Error != "402::Unknown client" {
			t.Errorf("connect after 7s = %s; want 402", got.raw)
		}
	})
}

// TestSettingsOneAfterTheOther sets the simulator again before the server of the setting before has begun: each runs
// its own, which the race detector sees.
func TestSettingsOneAfterTheOther(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		operator := stranger(t, s)
		for range 50 {
			operator.must("POST", "/_sim/settings", `{"connectTimeout":"2s"}`)
		}
		c := loggedIn(t, s, "bjorn")
		c.listen("/v2/me/*")
		c.connect()
	})
}

func TestSettingsRefused(t *testing.T) {
	for _, test := range []struct{ asked, want string }{
		{`{"mood":"x"}`, `htccsim: unknown setting "mood": want one of connectTimeout, lenientCometD, maxInterval`},
		{`{"maxInterval":"-1s"}`, "setting maxInterval: -1s: want no negative duration"},
	} {
		s := &Server{}
		inBubble(t, s, func(t *testing.T) {
			got := stranger(t, s).do("POST", "/_sim/settings", test.asked)
			if got.status != 400 {
				t.Errorf("status = %d; want 400", got.status)
			}
			want(t, test.asked, got.body, test.want)
		})
	}
}

// TestAllIsDescribed holds the page of the simulators to the settings and scenarios that there are.
func TestAllIsDescribed(t *testing.T) {
	page, err := os.ReadFile("../../simulation/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range (&Server{}).knobs().Values() {
		if !strings.Contains(string(page), "\n| `"+name+"` ") {
			t.Errorf("the page of the simulators does not say what %s does", name)
		}
	}
	_, described, _ := strings.Cut(string(page), "\n## Scenarios\n")
	for _, name := range Scenarios() {
		if !strings.Contains(described, "`"+name+"`") {
			t.Errorf("the page of the simulators does not say what the scenario %s does", name)
		}
	}
}
