package upstream

import (
	"context"
	"math/rand/v2"
	"time"
)

// Pauses before reception begins anew after breaks.
const (
	firstPause = 250 * time.Millisecond

	// LongestPause is also how long reception must have lasted for a break to be the first of a series: a stream that
	// opens and ends at once is no recovery.
	LongestPause = 30 * time.Second
)

// ManyBreaks is a number of breaks in a row from which on the pause is the longest.
const ManyBreaks = 7 // 250 ms << 7 is over 30 s

// Pause returns how long to wait after a number of earlier breaks in a row: twice as long each time, and spread, so that
// the readers of a site that comes back do not all come at once.
func Pause(breaks int) time.Duration {
	longest := LongestPause
	if breaks < ManyBreaks {
		longest = firstPause << breaks
	}
	return longest/2 + rand.N(longest/2)
}

// Sleep waits, or returns ctx's error. For a pause of nothing no timer is set.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
