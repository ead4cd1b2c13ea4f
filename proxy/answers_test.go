package proxy

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what is answered into testdata/answers")

// TestAnswers holds the door to the conversations in testdata/answers, word for word. Each has a
// world of its own, in which anna begins not ready. A request stands on lines that begin with >, its
// body on the second; the answer on lines that begin with <: status, headers that matter, body.
func TestAnswers(t *testing.T) {
	files, err := filepath.Glob("testdata/answers/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d conversations (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := converse(newDoor(t), string(text))
			if *update {
				err = os.WriteFile(file, []byte(got), 0o644)
				if err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(text), got); diff != "" && !*update {
				t.Errorf("the conversation differs (-want +got):\n%s", diff)
			}
		})
	}
}

// converse sends the requests of a conversation and returns it with the answers that came.
func converse(w *world, text string) string {
	anna := w.as("anna")
	var said strings.Builder
	for exchange := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		var request []string
		for line := range strings.SplitSeq(exchange, "\n") {
			if asked, found := strings.CutPrefix(line, "> "); found {
				request = append(request, asked)
			}
		}
		method, path, _ := strings.Cut(request[0], " ")
		body := strings.Join(request[1:], "\n")
		got := anna.do(method, path, body, anna.headers...)
		for _, line := range request {
			fmt.Fprintf(&said, "> %s\n", line)
		}
		fmt.Fprintf(&said, "< %d\n", got.status)
		for _, name := range []string{"Allow", "Retry-After"} {
			if value := got.header.Get(name); value != "" {
				fmt.Fprintf(&said, "< %s: %s\n", name, value)
			}
		}
		if got.body != "" {
			fmt.Fprintf(&said, "< %s\n", got.body)
		}
		said.WriteString("\n")
	}
	return strings.TrimSuffix(said.String(), "\n")
}
