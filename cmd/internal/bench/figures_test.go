package bench

import (
	"testing"
	"time"
)

func TestPercentile(t *testing.T) {
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(i + 1)
	}
	for _, tt := range []struct {
		name   string
		sorted []time.Duration
		p      int
		want   time.Duration
	}{
		{"of nothing", nil, 99, 0},
		{"the middle", hundred, 50, 50},
		{"99 of 100", hundred, 99, 99},
		{"the longest", hundred, 100, 100},
		{"the middle of three", hundred[:3], 50, 2},
	} {
		if got := Percentile(tt.sorted, tt.p); got != tt.want {
			t.Errorf("%s: Percentile(%d) = %d; want %d", tt.name, tt.p, got, tt.want)
		}
	}
}
