package proxy

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/proxy/htcc/htccsim"
)

var update = flag.Bool("update", false, "write what is answered into testdata/answers")

// TestAnswers holds the door to the conversations in testdata/answers, word for word. Each has a
// world of its own, in which anna begins not ready. A request stands on lines that begin with >, its
// body on the second; the answer on lines that begin with <: status, headers that matter, body.
//
// Lines before the first request name the source, and the agent if it is not anna. LISTEN is for the
// topics that its pattern matches; HEAR tells the last notifications, as many as it says. Requests to
// /htcc and /icws go to the simulators.
func TestAnswers(t *testing.T) {
	files, err := filepath.Glob("testdata/answers/*.txt")
	more, errMore := filepath.Glob("testdata/answers/*/*.txt")
	if err != nil || errMore != nil || len(files) == 0 || len(more) == 0 {
		t.Fatalf("%d and %d conversations (%v, %v)", len(files), len(more), err, errMore)
	}
	for _, file := range append(files, more...) {
		t.Run(strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(file), "testdata/answers/"), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := converse(t, string(text))
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

// A conversation is one of an agent's application with the door.
type conversation struct {
	*caller
	comet  *comet
	inVain bool // something was asked in vain
}

// converse sends the requests of a conversation and returns it with the answers that came.
func converse(t *testing.T, text string) string {
	t.Helper()
	w := newPushing(t, func(k *knobs) {
		k.cloud = &htccsim.Server{PublicURL: "http://htcc.example:8090", Now: func() time.Time { return time.UnixMilli(1767225600123) }}
	})
	agent := "anna"
	var said []string
	var c *conversation
	for exchange := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		if strings.HasPrefix(exchange, "#") {
			_, named, found := strings.Cut(exchange, "# Agent: ")
			if found {
				agent = strings.TrimSpace(named)
			}
			said = append(said, exchange)
			continue
		}
		if c == nil {
			c = &conversation{caller: w.as(agent)}
		}
		said = append(said, c.exchange(exchange))
	}
	return strings.Join(said, "\n\n") + "\n"
}

// exchange sends one request and returns it with the answer.
func (c *conversation) exchange(wanted string) string {
	c.t.Helper()
	var request []string
	for line := range strings.SplitSeq(wanted, "\n") {
		if asked, found := strings.CutPrefix(line, "> "); found {
			request = append(request, asked)
		}
	}
	method, path, _ := strings.Cut(request[0], " ")
	ask := func() string {
		return "> " + strings.Join(request, "\n> ") + c.answer(method, path, strings.Join(request[1:], "\n"))
	}
	if method == http.MethodGet || method == "HEAR" {
		return c.patiently(wanted, ask)
	}
	return ask()
}

// patiently asks, and asks again for a while if the answer is not as wanted: what an operation sets off
// comes later. Once something was asked in vain what follows is not waited for.
func (c *conversation) patiently(wanted string, ask func() string) string {
	if *update || c.inVain {
		time.Sleep(settle)
		return ask()
	}
	for deadline := time.Now().Add(soon); ; time.Sleep(5 * time.Millisecond) {
		got := ask()
		c.inVain = time.Now().After(deadline)
		if got == wanted || c.inVain {
			return got
		}
	}
}

// settle is longer than a simulator takes to tell of what was done.
const settle = 250 * time.Millisecond

// answer returns the lines of an answer.
func (c *conversation) answer(method, path, body string) string {
	c.t.Helper()
	site, control, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch {
	case method == "LISTEN":
		c.listen(path)
		return ""
	case method == "HEAR":
		return c.hear(path)
	case site == "htcc":
		return simulator(c.cloud, method, control, body)
	case site == "icws":
		return simulator(c.sim, method, control, body)
	}
	got := c.do(method, path, body, c.headers...)
	lines := fmt.Sprintf("\n< %d", got.status)
	for _, name := range []string{"Allow", "Retry-After"} {
		if value := got.header.Get(name); value != "" {
			lines += fmt.Sprintf("\n< %s: %s", name, value)
		}
	}
	if got.body != "" {
		lines += "\n< " + got.body
	}
	return lines
}

// simulator has a simulator do what a test may ask of it. What it answers is not the door's.
func simulator(site http.Handler, method, path, body string) string {
	answer := httptest.NewRecorder()
	site.ServeHTTP(answer, httptest.NewRequest(method, "/"+path, strings.NewReader(body)))
	return fmt.Sprintf("\n< %d", answer.Code)
}

// listen begins to listen to a pattern of topics.
func (c *conversation) listen(pattern string) {
	c.t.Helper()
	c.comet = newComet(c.t, polling{app: c.caller, client: c.client})
	c.comet.shakes("", "long-polling")
	c.comet.subscribes(pattern)
	c.comet.listens("long-polling")
}

// hear returns the last n notifications, or as many as there are.
func (c *conversation) hear(n string) string {
	c.t.Helper()
	count, err := strconv.Atoi(n)
	if err != nil {
		c.t.Fatal(err)
	}
	c.comet.mu.Lock()
	defer c.comet.mu.Unlock()
	lines := ""
	heard := c.comet.heard
	for _, one := range heard[max(0, len(heard)-count):] {
		lines += "\n< " + one.raw
	}
	return lines
}
