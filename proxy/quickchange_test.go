package proxy

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"portico/proxy/icws/icwssim"
)

// TestQuickReadsShowWhatIs changes an agent's state in all ways, and holds what is kept of /me to what is made
// anew.
func TestQuickReadsShowWhatIs(t *testing.T) {
	w := newDoor(t, func(k *knobs) { k.sim.AsyncDelay = -1 }) // or what was asked for may come after what is set
	anna := w.with(cookieOf(w.as("anna").get("/me")))
	forms := 0
	made := func() string { // a form that nobody has asked for
		forms++
		return anna.get(fmt.Sprint("/api/v2/me?subresources=*&n=", forms)).body
	}
	kept := func() string { return anna.get("/api/v2/me?subresources=*").body }
	quickly := func() bool {
		before := w.quickly.Load()
		kept()
		return w.quickly.Load() > before
	}
	eventually(t, "reads are quick", quickly)
	for i := range 30 {
		operation, shown := "Ready", `"state":"Ready"`
		if i%2 > 0 {
			operation, shown = "NotReady", `"state":"NotReady"`
		}
		anna.operate("/me", operation)
		for range 4 {
			if got, want := kept(), made(); got != want || !strings.Contains(got, shown) {
				t.Fatalf("after %s, /me is\n%s\nmade anew\n%s", operation, got, want)
			}
		}
		eventually(t, "reads are quick after "+operation, quickly)
		if got, want := kept(), made(); got != want || !strings.Contains(got, shown) {
			t.Fatalf("after %s, /me is kept as\n%s\nmade anew\n%s", operation, got, want)
		}
	}
	for i, status := range []string{"At Lunch", "Available", "At Lunch", "Gone Home", "Available"} {
		before := made()
		err := w.sim.SetState(icwssim.StateChange{User: "anna", StatusID: &status})
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, fmt.Sprintf("%d: %s is shown", i, status), func() bool { return kept() != before })
		if got, want := kept(), made(); got != want {
			t.Errorf("in %s, /me is\n%s\nmade anew\n%s", status, got, want)
		}
	}
	eventually(t, "reads are quick again", quickly)
	anna.operate("/me", "EndContactCenterSession")
	if got := anna.get("/api/v2/me?subresources=*"); got.status != http.StatusForbidden {
		t.Errorf("after the session's end, /me is %d %s", got.status, got.body)
	}
	if got := anna.get("/me/status-messages"); got.status != http.StatusForbidden {
		t.Errorf("after the session's end, the catalogue is %d %s", got.status, got.body)
	}
}

// TestQuickReadsAreEachAgentsOwn has agents share a connection, as they do behind a load balancer.
func TestQuickReadsAreEachAgentsOwn(t *testing.T) {
	w := newDoor(t)
	agents := []string{"anna", "agent0001", "agent0002"}
	cookies := map[string]string{}
	for _, agent := range agents {
		cookies[agent] = cookieOf(w.as(agent).get("/me"))
	}
	address := strings.TrimPrefix(w.url, "http://")
	before := w.quickly.Load()
	eventually(t, "enough reads are quick", func() bool {
		for _, agent := range agents {
			for _, proof := range []string{"Cookie: JSESSIONID=" + cookies[agent], "Authorization: " + basicAuth(agent, agent)} {
				got := w.exchange(t, address, "GET /me HTTP/1.1\r\nHost: a\r\n"+proof+"\r\n\r\n")
				if got.status != http.StatusOK || !strings.Contains(strings.ToLower(got.body), `"username":"`+agent+`"`) {
					t.Fatalf("%s reads %d %s", agent, got.status, got.body)
				}
			}
		}
		return w.quickly.Load()-before >= 10
	})
}
