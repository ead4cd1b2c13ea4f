package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"portico/config"
)

func TestRun(t *testing.T) {
	good := filepath.Join(t.TempDir(), "good.yaml")
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	write(t, good, config.Example)
	write(t, bad, "listen: 8080\nsites: {a: {kind: icsw}}\n")
	for _, tt := range []struct {
		name   string
		args   []string
		code   int
		stdout string // contained in
		stderr string
	}{
		{"no command tells the commands", nil, exitOK, "portico serve --config FILE", ""},
		{"help tells the commands", []string{"--help"}, exitOK, "portico demo", ""},
		{"a command that does not exist is named", []string{"srve"}, exitUsage, "", `there is no command "srve"`},
		{"a flag that does not exist is named", []string{"demo", "--prot"}, exitUsage, "", "-prot"},
		{"an argument too many is named", []string{"demo", "now"}, exitUsage, "", `["now"]`},
		{"the flags of a command", []string{"simulate", "icws", "-h"}, exitOK, "", "self-signed"},
		{"where a simulator is set while it runs", []string{"simulate", "htcc", "-h"}, exitOK, "", "GET http://127.0.0.1:8090/_sim/settings"},
		{"what simulate can simulate", []string{"simulate", "-h"}, exitOK, "", "simulate icws|htcc"},
		{"the arguments of a command without flags", []string{"health", "-h"}, exitOK, "", "portico health [ADDRESS]"},
		{"check accepts the example", []string{"check", good}, exitOK, "good.yaml: ok", ""},
		{"check tells all faults with their lines", []string{"check", bad}, exitFailed, "", "bad.yaml:2: sites.a.kind"},
		{"check without a file", []string{"check"}, exitUsage, "", "name the settings file"},
		{"check of a file that does not exist", []string{"check", "nowhere.yaml"}, exitFailed, "", "nowhere.yaml"},
		{"serve without settings", []string{"serve"}, exitUsage, "", "--config"},
		{"serve with bad settings", []string{"serve", "--config", bad}, exitFailed, "", "bad.yaml:1"},
		{"simulate needs to know what", []string{"simulate", "acd"}, exitUsage, "", "icws"},
		{"an address that is taken or wrong", []string{"demo", "--icws", "127.0.0.1:99999"}, exitFailed, "", "--icws"},
		{"an address of Portico's that is taken or wrong", []string{"demo", "--icws", "127.0.0.1:0", "--htcc", "127.0.0.1:0", "--listen", "127.0.0.1:99999"},
			exitFailed, "", "--listen"},
		{"health of what does not run", []string{"health", "127.0.0.1:1"}, exitFailed, "", "127.0.0.1:1"},
	} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), tt.args, nil, &stdout, &stderr)
		if code != tt.code {
			t.Errorf("%s: exit code %d; want %d\n%s%s", tt.name, code, tt.code, &stdout, &stderr)
		}
		if !strings.Contains(stdout.String(), tt.stdout) || !strings.Contains(stderr.String(), tt.stderr) {
			t.Errorf("%s: printed %q and %q; want %q and %q in them", tt.name, &stdout, &stderr, tt.stdout, tt.stderr)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	err := os.WriteFile(path, []byte(text), 0o600)
	if err != nil {
		t.Fatal(err)
	}
}

// started is a subcommand under way.
type started struct {
	out  *lines
	stop context.CancelFunc
	code chan int
	errs *bytes.Buffer // read after code
}

// start runs a subcommand until the test ends it.
func start(t *testing.T, args ...string) *started {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &started{out: newLines(), stop: cancel, code: make(chan int, 1), errs: &bytes.Buffer{}}
	go func() {
		s.code <- run(ctx, args, nil, s.out, s.errs)
		s.out.close()
	}()
	t.Cleanup(cancel)
	return s
}

// end stops the subcommand and holds it to a clean end.
func (s *started) end(t *testing.T) {
	t.Helper()
	s.stop()
	code := <-s.code
	if code != exitOK {
		t.Errorf("exit code %d; want %d\n%s", code, exitOK, s.errs)
	}
}
