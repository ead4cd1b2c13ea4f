package rig

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
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
	sum := 0.0
	Series(t, reg, func(family string) bool { return family == name }, func(_ string, series *dto.Metric) {
		for _, label := range series.GetLabel() {
			want, ok := labels[label.GetName()]
			if ok && want != label.GetValue() {
				return
			}
		}
		sum += series.GetCounter().GetValue() + series.GetGauge().GetValue()
	})
	return sum
}
