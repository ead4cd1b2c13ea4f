package main

import (
	"cmp"
	"debug/elf"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// try is one request of the README's tour, as anna or as whom agent names.
type try struct {
	method, path, body string
	want               string // the whole answer, or with ... what stands around it
	agent              string
}

func TestDemo(t *testing.T) {
	demo := start(t, "demo", "--json", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--icws", "127.0.0.1:0", "--htcc", "127.0.0.1:0")
	var at addresses
	err := json.Unmarshal([]byte(demo.out.next(t)), &at)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []try{
		{"POST", at.Portico + "/me", `{"operationName":"Ready"}`, `{"status":"ok"}`, ""},
		{"POST", at.Portico + "/api/v2/me", `{"operationName":"Ready"}`, `{"statusCode":0}`, ""},
		{"GET", at.Portico + "/me/channels/voice", "", `{"channel":{"channel":"voice","userState":{"id":"9430250E-0A1B-421F-B372-F29E69366DED","displayName":"Ready","state":"Ready"},"userActivity":"Idle"}}`, ""},
		{"GET", at.ICWS + "/_sim/state?user=anna", "", `..."statusId":"Available"...`, ""},
		{"POST", at.Portico + "/me", `{"operationName":"Lunch"}`, `...unknown operation \"Lunch\"; this agent may use: ...AtLunch...`, ""},
		{"GET", at.Portico + "/me?subresources=*", "", `..."uri":"http://` + at.Portico + `/api/v2/users/...`, ""},
		{"GET", at.ICWS + "/_sim/calls", "", `..."GET /icws/{sessionId}/status/status-messages":1...`, ""},
		{"POST", at.Portico + "/api/v2/me", `{"operationName":"StartContactCenterSession","channels":["voice","chat","fax"]}`,
			`{"statusCode":7,"succeeded":[{"statusCode":0,"channel":"voice"},{"statusCode":0,"channel":"chat"}],"failed":[{"statusCode":6,"statusMessage":"there is no channel \"fax\"","channel":"fax"}]}`, "cleo"},
		{"POST", at.Portico + "/api/v2/me", `{"operationName":"AtPlay"}`, `{"statusCode":0,"substituted":[{"channel":"chat","operationName":"NotReady"}]}`, "cleo"},
		{"POST", at.Portico + "/me", `{"operationName":"Ready"}`, `{"status":"ok"}`, "Dora Lund"},
		{"GET", at.Portico + "/api/v2/me/channels/voice", "", `{"statusCode":0,...`, "emil.voss@example.com"},
		{"GET", at.HTCC + "/_sim/state?user=cleo", "", `..."channel":"chat"...`, ""},
		{"GET", at.Portico + "/api/v2/services?fields=*", "", `{"statusCode":0,"services":[...`, "bjorn"},
		{"GET", at.Portico + "/icws/connection/version", "", `{"majorVersion":"19","minorVersion":"3",...`, ""},
		{"GET", at.Portico + "/icws/29113001/connection", "", `{..."message":...`, ""},
		{"GET", at.Admin + "/metrics", "", `...portico_logins_total{outcome="reused",site="pureconnect"}...`, ""},
		{"GET", at.Admin + "/readyz", "", `{"ready":true,"draining":false,"sites":{"cloud":true,"pureconnect":true}}`, ""},
		{"GET", at.Admin + "/healthz", "", `ok`, ""},
	} {
		step.expect(t)
	}
	err = ask(t.Context(), "http://"+at.Admin+"/healthz")
	if err != nil {
		t.Errorf("health: %v", err)
	}
	demo.end(t)
}

// expect holds the answer to what is wanted. The contact centre carries operations out a moment
// after it accepted them, so what it holds is asked for again until it does.
func (s try) expect(t *testing.T) {
	t.Helper()
	got := ""
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		got = strings.TrimSpace(s.do(t))
		if matches(got, s.want) {
			return
		}
		if !strings.Contains(s.path, "/_sim/") {
			break
		}
	}
	t.Errorf("%s %s %s = %s; want %s", s.method, s.path, s.body, got, s.want)
}

// do sends the request as anna and returns the body of the answer.
func (s try) do(t *testing.T) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), s.method, "http://"+s.path, strings.NewReader(s.body))
	if err != nil {
		t.Fatal(err)
	}
	agent := cmp.Or(s.agent, "anna")
	req.SetBasicAuth(agent, agent)
	reply, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reply.Body.Close() }()
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// matches reports whether text is want, in which ... stands for anything.
func matches(text, want string) bool {
	parts := strings.Split(want, "...")
	if len(parts) == 1 {
		return text == want
	}
	rest, found := strings.CutPrefix(text, parts[0])
	for _, part := range parts[1:] {
		if !found {
			return false
		}
		_, rest, found = strings.Cut(rest, part)
	}
	return found && (parts[len(parts)-1] == "" || rest == "")
}

func TestDemoTakesSettings(t *testing.T) {
	over := filepath.Join(t.TempDir(), "over.yaml")
	write(t, over, "dialect: statusCode\nroutes:\n  - {match: \"cleo\", sites: [pureconnect]}\n")
	demo := start(t, "demo", "--json", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--icws", "127.0.0.1:0", "--htcc", "127.0.0.1:0", "--config", over)
	var at addresses
	err := json.Unmarshal([]byte(demo.out.next(t)), &at)
	if err != nil {
		t.Fatal(err)
	}
	got := try{"GET", at.Portico + "/me", "", "", ""}.do(t)
	if got != `{"statusCode":20,"statusMessage":"Access denied"}` {
		t.Errorf("anna, whom the laid-over routes leave out, gets %s", got)
	}
	demo.end(t)
}

func TestTheBinaryIsStatic(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "portico")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	program, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = program.Close() }()
	if libraries, err := program.ImportedLibraries(); err == nil && len(libraries) > 0 {
		t.Errorf("the binary of the image needs %q, which scratch does not have", libraries)
	}
	out, err = exec.CommandContext(t.Context(), binary, "help").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "portico demo") {
		t.Errorf("the binary does not run: %v\n%s", err, out)
	}
}
