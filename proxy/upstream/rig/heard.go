package rig

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Log keeps what handlers saw or receivers were told. The zero value is empty; any number of
// goroutines may call its methods.
type Log struct {
	mu    sync.Mutex // guards lines
	lines []string
}

// Add adds a line.
func (l *Log) Add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
}

// All returns the lines so far, in a slice of its own.
func (l *Log) All() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}

// Expect ends the test unless these are what comes next from told, within 10 s of real time each.
func Expect(t testing.TB, told <-chan string, want ...string) {
	t.Helper()
	for _, w := range want {
		select {
		case got := <-told:
			if got != w {
				t.Fatalf("told %q; want %q", got, w)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("not told %q within 10 s", w)
		}
	}
}

// Value returns the sum of a counter or gauge over the series with these labels.
func Value(t testing.TB, reg *prometheus.Registry, name string, labels map[string]string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
	metrics:
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				want, ok := labels[label.GetName()]
				if ok && want != label.GetValue() {
					continue metrics
				}
			}
			sum += metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
		}
	}
	return sum
}
