package throttle

import (
	"fmt"
	"testing"
	"time"
)

// What every Store must do stands in proxy/store, where all of them are held to it.

func TestMemoryIsBounded(t *testing.T) {
	m := newMemory(10)
	limit := Limit{Failures: 2, Within: time.Hour}
	for i := range 1000 {
		key := fmt.Sprint(i)
		_ = m.Fail(t.Context(), key, limit)
		_ = m.Succeed(t.Context(), key, time.Hour)
		_ = m.Fail(t.Context(), "busy", limit)
	}
	busy, _ := m.failures.Peek("busy")
	if m.failures.Len() != 10 || m.succeeded.Len() != 10 || len(busy) != 2 || cap(busy) > 8 {
		t.Errorf("kept %d and %d keys, and %d failures of one in room for %d", m.failures.Len(), m.succeeded.Len(), len(busy), cap(busy))
	}
}
