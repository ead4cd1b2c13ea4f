package gateway

import (
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"portico/proxy/icws/icwssim"
)

// waiting returns the stacks of the goroutines that keep agents current, once nothing runs.
func waiting() []string {
	synctest.Wait()
	all := make([]byte, 1<<20)
	var stacks []string
	for stack := range strings.SplitSeq(string(all[:runtime.Stack(all, true)]), "\n\n") {
		if strings.Contains(stack, "(*icwsPart).watch(") {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}

// TestWhoKeepsAgentsCurrentOnlyWaits holds that nothing stands on the stack of the goroutine that an agent always
// has but the wait: with 2 KB it has room for little more.
func TestWhoKeepsAgentsCurrentOnlyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{})
		for _, name := range []string{"anna", "cleo", "agent0001"} {
			w.shows(w.login(name))
		}
		stacks := waiting()
		if len(stacks) != 3 {
			t.Errorf("%d goroutines keep 3 agents current", len(stacks))
		}
		for _, stack := range stacks {
			_, above, waits := strings.Cut(stack, "icws.(*Reception).Wait")
			if !waits || strings.Count(above, "\n\t") > 6 {
				t.Errorf("waits otherwise than by a Reception, or deeper than needed:\n%s", stack)
			}
		}
	})
}
