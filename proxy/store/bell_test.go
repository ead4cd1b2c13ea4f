package store

import (
	"testing"
	"time"
)

func testBells(t *testing.T, k kit) {
	a, b := k.bell(), k.bell()
	heard := make(chan string, 100)
	expect := func(what, want string) {
		t.Helper()
		select {
		case got := <-heard:
			if got != want {
				t.Errorf("%s: %q was heard; want %q", what, got, want)
			}
		default: // who rings comes back once it was heard
			t.Errorf("%s was not heard", what)
		}
	}
	ring := func(name string) {
		t.Helper()
		must(t, b.Ring(t.Context(), name))
	}
	listen := func(name string) (stop func()) {
		stop = a.Hear(name, func() { heard <- name })
		for { // until it is heard, which may be when the listener begins
			ring(name)
			select {
			case <-heard:
				time.Sleep(100 * time.Millisecond)
				for len(heard) > 0 {
					<-heard
				}
				return stop
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	stopAnna, stopBjorn := listen("anna"), listen("bjorn")
	ring("cleo")
	ring("anna")
	expect("a bell", "anna")
	ring("bjorn")
	expect("another", "bjorn")
	stopAnna()
	ring("anna")
	ring("bjorn")
	expect("one that is still listened for", "bjorn")
	stopBjorn()
}
