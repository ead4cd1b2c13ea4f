package simulation

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// play plays the turn of a call that a fault has hit, and returns what became of it in order.
func play(f Fault, drains bool) (became []string) {
	say := func(what string) { became = append(became, what) }
	turn := Turn{
		Fault: &f, Request: httptest.NewRequest("GET", "/", nil), Life: NewLife(&sync.Mutex{}), Drains: drains,
		CarryOut: func() func() { say("carried out"); return func() { say("right answer") } },
		Replace:  func() (int, func()) { return 500, func() { say("other answer") } },
		Note:     func(_ int, outcome string) { say("note: " + outcome) },
	}
	began := time.Now()
	defer func() {
		if p := recover(); p != nil && p != http.ErrAbortHandler {
			panic(p)
		} else if p != nil {
			say("broken off")
		}
		say(time.Since(began).String())
	}()
	turn.Delay()
	say(time.Since(began).String())
	turn.Answer()
	return
}

func TestTurns(t *testing.T) {
	for _, test := range []struct {
		name   string
		fault  Fault
		drains bool
		want   []string
	}{
		{"late", Fault{Delay: time.Second}, false, []string{"1s", "carried out", "right answer", "1s"}},
		{"late, with the work done early", Fault{Delay: time.Second, After: true}, false, []string{"0s", "carried out", "right answer", "1s"}},
		{"refused", Fault{Status: 500}, false, []string{"0s", "note: fault", "other answer", "0s"}},
		{"refused late", Fault{Status: 500, Delay: time.Second}, false, []string{"1s", "note: fault", "other answer", "1s"}},
		{"refused though done", Fault{Status: 500, After: true}, false, []string{"0s", "carried out", "note: fault", "other answer", "0s"}},
		{"broken off", Fault{Scenario: ResetConnection}, false, []string{"0s", "note: connection broken off", "broken off", "0s"}},
		{"broken off with what it took", Fault{Scenario: ResetConnection}, true, []string{"0s", "carried out", "note: connection broken off", "broken off", "0s"}},
		{"silent", Fault{Scenario: Hang, Delay: time.Hour}, false, []string{"note: no answer", "broken off", "1h0m0s"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if got := play(test.fault, test.drains); !slices.Equal(got, test.want) {
					t.Errorf("became %q; want %q", got, test.want)
				}
			})
		})
	}
}
