package upstream

import "testing"

func TestPause(t *testing.T) {
	for breaks := range 100 {
		longest := min(firstPause<<min(breaks, 20), LongestPause)
		for range 20 {
			got := Pause(breaks)
			if got < longest/2 || got >= longest {
				t.Fatalf("Pause(%d) = %v; want between %v and %v", breaks, got, longest/2, longest)
			}
		}
	}
}
