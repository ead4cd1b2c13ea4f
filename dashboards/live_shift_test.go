package dashboards

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// A shift is one of the load model before portico demo, watched by a Prometheus.
type shift struct {
	*child
	admin   string // address of Portico's admin listener
	length  time.Duration
	watcher *watcher
	began   time.Time
}

// startShift returns once agents are logged in.
func startShift(t *testing.T, agents int, length time.Duration) *shift {
	t.Helper()
	folder := programs(t)
	s := &shift{admin: "127.0.0.1:" + freePort(t), length: length}
	s.watcher = watch(t, s.admin, rulebook(t))
	until(t, "Prometheus looks for Portico, so as to see the log-ins", time.Minute, func() bool { return s.watcher.shows(t, "up") })
	s.began = time.Now()
	s.child = start(t, filepath.Join(folder, "loadmodel"), "--portico", filepath.Join(folder, "portico"), "--admin", s.admin,
		"--modes", "shared", "--agents", fmt.Sprint(agents), "--duration", length.String(), "--out", t.TempDir())
	until(t, "agents are logged in", time.Minute, func() bool {
		return s.hasEnded() || s.watcher.shows(t, "portico_sessions_active > 0")
	})
	return s
}

// finish waits for the end of the shift and returns when it was.
func (s *shift) finish(t *testing.T) span {
	t.Helper()
	until(t, "the shift is over", 2*s.length+time.Minute, s.hasEnded)
	if s.result != nil {
		t.Fatalf("the load model: %v", s.result)
	}
	return span{s.began, time.Now()}
}
