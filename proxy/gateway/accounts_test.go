package gateway

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/fault"
	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
)

// localNames has agents log in to the site by what stands before the @, and "nowhere" have no route.
func localNames(settings *Settings, site *Site) {
	site.Native = true
	settings.Route = func(login string) (Route, bool) {
		local, domain, _ := strings.Cut(login, "@")
		return Route{Stops: []Stop{{Site: "pureconnect", Login: local}}}, domain != "nowhere"
	}
}

func TestAnAccountIsLimitedByWhateverName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{}, localNames)
		home := &guesser{world: w, from: "203.0.113.1"}
		home.letIn("before", "anna")
		err := w.EndContactCenterSession(t.Context(), w.login("anna"))
		if err != nil {
			t.Fatal(err)
		}
		before := w.logins()
		var strangers sync.WaitGroup
		for i := range 20 {
			from := fmt.Sprint("198.51.100.", i+1)
			strangers.Go(func() { _ = (&guesser{world: w, from: from}).with(fmt.Sprintf("Anna@%d.example", i), "wrong") })
			strangers.Go(func() { _ = (&guesser{world: w, from: from}).with(fmt.Sprintf(" anna@%d.example", i), "wrong too") })
		}
		strangers.Wait()
		for i := range 8 {
			_, err := w.sends(fmt.Sprint("192.0.2.", i+1), w.nativeLogin("anna", "wrong"))
			if !errors.Is(err, fault.Throttled) {
				t.Errorf("a native guess: %v; want %v", err, fault.Throttled)
			}
		}
		if n := w.logins() - before; n != 4 {
			t.Errorf("%d guesses at one account reached the site; want 4", n)
		}
		stranger := &guesser{world: w, from: "198.51.100.200"}
		stranger.limited("the account by another name", "anna@other.example", "anna", 15*time.Minute)
		stranger.limited("a name like it without a route", "anna@nowhere", "anna", 15*time.Minute)
		if err := home.with("anna@b.example", "anna"); err != nil {
			t.Errorf("from where the account was logged in to: %v", err)
		}
		home.letIn("another account", "agent0001")
	})
}

func TestOneStrangerUsesUpNoAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{}, localNames)
		stranger := &guesser{world: w, from: "198.51.100.7"}
		asked := 0
		for i := range 6 {
			asked += stranger.guess(fmt.Sprintf("anna@%d.example", i), 2)
		}
		for i := range 5 {
			_, _ = w.sends(stranger.from, w.nativeLogin("anna", fmt.Sprint("wrong ", i)))
		}
		if n := w.logins(); asked != 3 || n != 3 {
			t.Errorf("%d guesses from one address are %d at the site; want one less than an account has", asked, n)
		}
		for _, from := range []string{"203.0.113.1", "203.0.113.2"} {
			status, err := w.sends(from, w.nativeLogin("anna", "anna"))
			if err != nil {
				t.Errorf("the agent natively from another address: %d, %v", status, err)
			}
			(&guesser{world: w, from: from}).letIn("the agent from an address never seen", "anna")
		}
	})
}

func TestAGuessCountsForEachAccountOfARoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &htccsim.Server{}
		w := newUnion(t, &icwssim.Server{}, cloud, func(_ *Settings, s *Site) { s.Native = true })
		for i := range 4 {
			(&guesser{world: w, from: fmt.Sprint("198.51.100.", i+1), tries: i * 100}).guess("cleo", 1)
		}
		before := w.logins()
		_, err := w.sends("192.0.2.1", w.nativeLogin("cleo", "cleo"))
		if !errors.Is(err, fault.Throttled) || w.logins() != before {
			t.Errorf("a native log-in after 4 refused by both sites: %v; want %v", err, fault.Throttled)
		}
	})
}
