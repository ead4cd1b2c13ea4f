//go:build !race

// The race detector has a sync.Pool drop things at random.

package push

import (
	"strings"
	"testing"
)

func TestEncodingAllocatesOnlyTheText(t *testing.T) {
	value := &struct{ Text string }{strings.Repeat("x", 1000)}
	if got := testing.AllocsPerRun(1000, func() { _, _ = encode(value) }); got != 1 {
		t.Errorf("%v allocations; want 1", got)
	}
}
