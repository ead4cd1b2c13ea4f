package gateway

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/icws/icwssim"
	"portico/translate"
	"portico/translate/htccapi"
)

// TestReplicasDoAsOneProcess has an agent of PureConnect ask for the same, in the same order, of one process and of either
// of two replicas: in the end all three show the same, and both sites hold the same.
func TestReplicasDoAsOneProcess(t *testing.T) {
	const plays = 40
	for seed := range uint64(plays) {
		synctest.Test(t, func(t *testing.T) { playAsOne(t, seed) })
	}
}

func playAsOne(t *testing.T, seed uint64) {
	chance := &chance{random: rand.New(rand.NewPCG(seed, 0))}
	alone := newWorld(t, &icwssim.Server{})
	fleet := newShared()
	a, _ := fleet.replica(t)
	b, _ := fleet.replica(t)
	anna := alone.login("anna")
	id := a.login("anna").SessionID()
	settle()
	var log []string
	for range 12 {
		at, where := a, "a"
		if chance.below(2) == 0 {
			at, where = b, "b"
		}
		operations := []htccapi.Operation{htccapi.Ready, htccapi.NotReady, htccapi.AfterCallWork, "AtLunch", htccapi.DoNotDisturbOn, htccapi.DoNotDisturbOff, htccapi.Offline}
		ask := translate.Request{Operation: operations[chance.below(len(operations))]}
		if !isDND(ask.Operation) && chance.below(2) == 0 {
			ask.Channel = []htccapi.MediaChannel{htccapi.Voice, "email"}[chance.below(2)]
		}
		log = append(log, fmt.Sprint(where, " ", ask.Operation, " ", ask.Channel))
		here, there := alone.change(t.Context(), anna, ask), at.change(t.Context(), at.cookie(id), ask)
		if fmt.Sprint(here) != fmt.Sprint(there) {
			t.Errorf("seed %d: %s = %v; in one process %v", seed, log[len(log)-1], there, here)
		}
		time.Sleep(time.Duration([]int{1, 30, 300, 1500, 6000}[chance.below(5)]) * time.Millisecond)
	}
	time.Sleep(12 * time.Second)
	want := alone.shows(anna)
	for name, w := range map[string]*world{"a": a, "b": b} {
		if got := w.shows(w.cookie(id)); got != want {
			t.Errorf("seed %d: replica %s shows %s; one process %s", seed, name, got, want)
		}
	}
	here, err := alone.sim.State("anna")
	if err != nil {
		t.Fatal(err)
	}
	there, err := fleet.sim.State("anna")
	if err != nil {
		t.Fatal(err)
	}
	if here.StatusID != there.StatusID || fmt.Sprint(here.Activations) != fmt.Sprint(there.Activations) {
		t.Errorf("seed %d: the site of the replicas has %s %v; of one process %s %v", seed, there.StatusID, there.Activations, here.StatusID, here.Activations)
	}
	if t.Failed() {
		t.Fatalf("seed %d:\n%s", seed, strings.Join(log, "\n"))
	}
}
