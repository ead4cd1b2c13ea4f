package cache

import (
	"crypto/sha256"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"weak"
)

func digestOf(l *list) Digest { return sha256.Sum256([]byte(strings.Join(l.names, "\x00"))) }

func TestEqualValuesBecomeOne(t *testing.T) {
	interner := NewInterner(digestOf)
	first := interner.Of(&list{[]string{"Available"}})
	tests := []struct {
		name   string
		value  *list
		shared bool
	}{
		{"the same object", first, true},
		{"an equal one", &list{[]string{"Available"}}, true},
		{"another", &list{[]string{"Lunch"}}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := interner.Of(test.value)
			if (got == first) != test.shared {
				t.Errorf("Of(%v) is the first object: %v; want %v", test.value, got == first, test.shared)
			}
			if !test.shared && got != test.value {
				t.Errorf("Of(%v) = %v; want itself", test.value, got)
			}
		})
	}
	runtime.KeepAlive(first)
}

func TestValueNobodyHoldsGoes(t *testing.T) {
	interner := NewInterner(digestOf)
	kept := interner.Of(&list{[]string{"kept"}})
	for i := range 100 {
		interner.Of(&list{[]string{fmt.Sprint(i)}})
	}
	until(t, "the garbage collector", func() bool {
		runtime.GC()
		return interner.Len() == 1
	})
	if got := interner.Of(&list{[]string{"kept"}}); got != kept {
		t.Error("a value that is held lost its place")
	}
	runtime.KeepAlive(kept)
}

func TestLateCleanupLeavesTheSuccessorAlone(t *testing.T) {
	interner := NewInterner(digestOf)
	gone := &list{[]string{"Available"}}
	successor := interner.Of(&list{[]string{"Available"}})
	interner.remove(entry[list]{digestOf(gone), weak.Make(gone)})
	if got := interner.Of(&list{[]string{"Available"}}); got != successor {
		t.Error("the cleanup of a value took the entry of the equal one that came after it")
	}
	runtime.KeepAlive(successor)
}

// TestManyInternWhileOthersAreCollected is for the race detector: values go and come back while
// cleanups run.
func TestManyInternWhileOthersAreCollected(t *testing.T) {
	interner := NewInterner(digestOf)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for i := range 500 {
				first := interner.Of(&list{[]string{"Available"}})
				second := interner.Of(&list{[]string{"Available"}})
				if first != second {
					t.Error("two objects for equal values held at once")
				}
				runtime.KeepAlive(first)
				if i%50 == 0 {
					runtime.GC()
				}
			}
		})
	}
	group.Wait()
}
