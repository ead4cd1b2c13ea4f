package fleet

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestLiveClocksThatDiffer has replicas whose clocks are 30 s ahead and 30 s behind the third one's.
// Nothing comes of it.
func TestLiveClocksThatDiffer(t *testing.T) {
	programs(t)
	t.Parallel()
	s := newStage(t, Settings{StoreTimeout: busy, Program: buildAhead(t), Variables: [][]string{{}, {"CLOCK_AHEAD=30s"}, {"CLOCK_AHEAD=-30s"}}})
	t.Run("at once elsewhere", func(t *testing.T) { testAtOnce(t, s) })
	s.staff(60)
	t.Run("rolling restart", func(t *testing.T) { testRollingRestart(t, s) })
}

// ahead is what a package gets in place of the clock: the machine's, moved by a variable of the
// environment. What Go measures durations by stays.
const ahead = `package PACKAGE

import (
	"os"
	"time"
	"unsafe"
)

var clockAhead, _ = time.ParseDuration(os.Getenv("CLOCK_AHEAD"))

func clockNow() time.Time {
	now := time.Now()
	*(*uint64)(unsafe.Pointer(&now)) += uint64(int64(clockAhead/time.Second)) << 30 // its seconds, since it has a monotonic part
	return now
}
`

// buildAhead builds Portico with such a clock in all its packages, and returns the binary.
func buildAhead(t *testing.T) string {
	t.Helper()
	listed, err := exec.Command("go", "list", "-deps", "-f", "{{if .Module}}{{if .Module.Main}}{{.Name}} {{.Dir}}{{range .GoFiles}} {{.}}{{end}}{{end}}{{end}}", "portico/cmd/portico").Output()
	must(t, err)
	folder, replaced := t.TempDir(), map[string]string{}
	put := func(file, text string) {
		t.Helper()
		copied := filepath.Join(folder, strings.ReplaceAll(file, "/", "_"))
		must(t, os.WriteFile(copied, []byte(text), 0o600))
		replaced[file] = copied
	}
	for _, line := range strings.Split(strings.TrimSpace(string(listed)), "\n") {
		words := strings.Fields(line)
		name, dir := words[0], words[1]
		moved := 0
		for _, file := range words[2:] {
			text, err := os.ReadFile(filepath.Join(dir, file))
			must(t, err)
			if n := strings.Count(string(text), "time.Now()"); n > 0 {
				moved += n
				put(filepath.Join(dir, file), strings.ReplaceAll(string(text), "time.Now()", "clockNow()")+"\nvar _ = time.Now\n")
			}
		}
		if moved > 0 {
			put(filepath.Join(dir, "clock_ahead.go"), strings.Replace(ahead, "PACKAGE", name, 1))
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replaced})
	must(t, err)
	put("overlay.json", string(overlay))
	program := filepath.Join(folder, "portico")
	build := exec.Command("go", "build", "-trimpath", "-overlay", replaced["overlay.json"], "-o", program, "portico/cmd/portico")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as make build has it: libraries are not built again
	said, err := build.CombinedOutput()
	if err != nil {
		t.Fatalf("build: %v\n%s", err, said)
	}
	return program
}
