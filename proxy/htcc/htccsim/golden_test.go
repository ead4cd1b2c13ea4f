package htccsim

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestWire holds answers and notifications to samples of the wire. Each file in testdata names its
// source, then lists the requests that lead up to it, of bjorn with a session ("start" stands for
// StartContactCenterSession with voice and chat, "fault NAME" for a scenario), and after an empty
// line the status, content type and body of the last answer, or, after "hear", what CometD delivers.
func TestWire(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("testdata has %d samples, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			steps, wanted, found := strings.Cut(string(text), "\n\n")
			if !found || !strings.HasPrefix(steps, "# Source: ") {
				t.Fatalf("%s has no source, or no empty line", file)
			}
			s := &Server{Now: func() time.Time { return time.UnixMilli(1767225600123) }}
			inBubble(t, s, func(t *testing.T) {
				got := follow(t, s, steps)
				if diff := cmp.Diff(pretty(t, wanted), pretty(t, got)); diff != "" {
					t.Errorf("%s differs (-sample +server):\n%s", file, diff)
				}
			})
		})
	}
}

// follow takes the steps of a sample and returns the outcome in its form.
func follow(t *testing.T, s *Server, steps string) string {
	t.Helper()
	c := loggedIn(t, s, "bjorn")
	outcome := ""
	for step := range strings.Lines(steps) {
		verb, rest, _ := strings.Cut(strings.TrimSpace(step), " ")
		switch verb {
		case "#":
		case "anonymous":
			c = stranger(t, s)
		case "start":
			c.start("voice", "chat")
			time.Sleep(settle)
		case "fault":
			fail(t, s, Fault{Scenario: rest})
		case "listen":
			c.listen(rest)
		case "hear":
			outcome = strings.Join(c.heard(), "\n")
		default:
			path, body, _ := strings.Cut(rest, " ")
			got := c.do(verb, path, body)
			outcome = http.StatusText(got.status) + " " + got.header.Get("Content-Type") + "\n" + got.body
		}
	}
	return outcome
}

// pretty lays JSON out, one line of text before it as it is, so that differences are seen.
func pretty(t *testing.T, outcome string) []any {
	t.Helper()
	var lines []any
	for line := range strings.Lines(strings.TrimSpace(outcome)) {
		head, body, _ := strings.Cut(strings.TrimSpace(line), "{")
		var content any
		if body != "" {
			err := json.Unmarshal([]byte("{"+body), &content)
			if err != nil {
				t.Fatalf("sample %q: %v", line, err)
			}
		}
		lines = append(lines, head, content)
	}
	return lines
}
