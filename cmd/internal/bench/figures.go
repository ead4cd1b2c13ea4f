package bench

import (
	"context"
	"os"
	"strings"
	"time"
)

// Pause waits for as long as that. It fails with what ended ctx.
func Pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
	return context.Cause(ctx)
}

// Percentile returns the duration that so many of a hundred stayed at or below, of a sorted list; 0 of an empty
// one.
func Percentile(sorted []time.Duration, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)*percent+99)/100-1]
}

// Milliseconds returns the number of them.
func Milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }

// LoadAverage returns the machine's, of the last minute, since what else it does shows in every time.
func LoadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}
