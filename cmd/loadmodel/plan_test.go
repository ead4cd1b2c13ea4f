package main

import (
	"reflect"
	"testing"
	"time"
)

func TestRoster(t *testing.T) {
	of := map[kind]map[persona]int{icws: {}, htcc: {}}
	names := map[string]bool{}
	for _, a := range newRoster(1000) {
		of[a.kind][a.persona]++
		names[a.name] = true
	}
	want := map[kind]map[persona]int{
		icws: {desktop: 385, phone: 175, client: 105, panel: 35},
		htcc: {desktop: 165, phone: 75, client: 45, panel: 15},
	}
	if !reflect.DeepEqual(of, want) || len(names) != 1000 {
		t.Errorf("1000 agents are %v with %d names; want %v", of, len(names), want)
	}
}

func TestPlan(t *testing.T) {
	length := time.Duration(0)
	for _, p := range shiftPlan {
		length += p.length
	}
	if length != shiftLength {
		t.Errorf("the phases last %v; want %v", length, shiftLength)
	}
	for _, a := range newRoster(100) {
		plan := a.plan()
		if !reflect.DeepEqual(plan, a.plan()) {
			t.Fatalf("%s has another plan each time", a.name)
		}
		steps := map[step]int{}
		var before state
		for _, p := range shiftPlan {
			at := time.Duration(0)
			for _, e := range plan[p.name] {
				if e.at < at || e.at > p.length {
					t.Errorf("%s in the %s: %s at %v, after %v", a.name, p.name, e.step, e.at, at)
				}
				if e.step == change && (e.to == before || e.to == state{}) {
					t.Errorf("%s changes from %v to %v", a.name, before, e.to)
				}
				if e.step == change {
					before = e.to
				}
				at = e.at
				steps[e.step]++
			}
		}
		want := map[step]int{logIn: 1, logOut: 1, change: 2 + 7*changesAnHour}
		switch a.persona {
		case desktop:
			want[reload], want[reconnect] = 3, 1
		case phone:
			want[foreground], want[reconnect] = 6, 1
		case client:
			want[reconnect] = 1
		}
		if !reflect.DeepEqual(steps, want) {
			t.Errorf("%s (%s) does %v; want %v", a.name, a.persona, steps, want)
		}
		if before == ready {
			t.Errorf("%s logs out Ready", a.name)
		}
	}
}

func TestPolls(t *testing.T) {
	for _, a := range newRoster(20) {
		n := 0
		for _, p := range shiftPlan {
			n += a.polls(p)
		}
		want := 0
		if a.persona == panel {
			want = 7 * 720
		}
		if n != want {
			t.Errorf("%s (%s) polls %d times; want %d", a.name, a.persona, n, want)
		}
	}
}
