package icwssim

import (
	"net/http"
	"testing"
	"time"
)

func TestClockAndNames(t *testing.T) {
	s := &Server{
		Now:       func() time.Time { return time.Date(2026, 1, 5, 8, 15, 0, 999, time.UTC) },
		ICServer:  "IC7",
		Languages: []Language{{ID: "fr", Name: "français", Labels: map[string]string{"At Lunch": "Déjeuner"}}},
	}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		want(t, "time", c.must("GET", "/icws/connection/server-time", "").body, `"20260105T081500Z"`)
		want(t, "status", c.must("GET", "/status/user-statuses/anna", "").body, `"statusChanged":"20260105T081500Z"`, `"icServers":["IC7"]`)
		want(t, "catalogue", c.must("GET", "/status/status-messages", "").body, `"messageText":"Déjeuner"`, `"messageText":"Available"`)
	})
}

func TestLenientLogInNeedsNoLanguage(t *testing.T) {
	s := &Server{Lenient: true}
	inBubble(t, s, func(t *testing.T) {
		got := stranger(t, s).tryLogIn("anna", "anna", "Accept-Language", "")
		if got.status != http.StatusCreated {
			t.Errorf("log-in = %d; want 201", got.status)
		}
	})
}

func TestLicenceRefusal(t *testing.T) {
	s := &Server{LicenceRefusal: http.StatusBadRequest}
	inBubble(t, s, func(t *testing.T) {
		fail(t, s, Fault{Scenario: "no-licence"})
		if got := stranger(t, s).tryLogIn("anna", "anna"); got.status != http.StatusBadRequest {
			t.Errorf("log-in = %d; want 400", got.status)
		}
	})
}

func TestPreviousInfoUnsubscribed(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		const path = "/messaging/subscriptions/status/user-status-previous-info"
		c.must("PUT", path, "")
		c.must("DELETE", path, "")
		c.poll()
		setState(t, s, StateChange{User: "anna", StatusID: new("At Lunch"), Notes: new("x")})
		wantList(t, "messages", c.poll())
	})
}

// A second Close must not panic.
func TestCloseTwice(t *testing.T) {
	s := &Server{}
	s.Close()
	s.Close()
}
