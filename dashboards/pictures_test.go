package dashboards

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestPictures keeps a picture of each dashboard in img/, drawn from a longer shift. make pictures sets up
// what draws them, and asks for it.
func TestPictures(t *testing.T) {
	if os.Getenv("PICTURES") == "" {
		t.Skip("draws nothing unless asked: make pictures")
	}
	s := startShift(t, 100, 2*time.Minute)
	over := s.finish(t)
	files, err := filepath.Glob("portico-*.json")
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"pictures/take.mjs", s.watcher.url, fmt.Sprint(over.from.Unix()), fmt.Sprint(s.watcher.lastSeen(t, over)), "img"}
	out, err := exec.CommandContext(t.Context(), "node", append(args, files...)...).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}

// lastSeen returns when Portico was scraped for the last time, in Unix seconds.
func (w *watcher) lastSeen(t *testing.T, over span) int64 {
	t.Helper()
	lines, err := w.draw("up == 1", over)
	if err != nil || len(lines) == 0 {
		t.Fatalf("Portico was never scraped: %v", err)
	}
	samples := lines[0].Samples
	at, _ := samples[len(samples)-1][0].(float64)
	return int64(at)
}
