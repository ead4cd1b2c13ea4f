package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A program is a built Portico, and the address that its operators' door is to have: "" is any.
type program struct{ file, admin string }

// program returns a built Portico, and what removes it if it was built here.
func (o options) program(ctx context.Context) (program, func(), error) {
	if o.portico != "" {
		file, err := filepath.Abs(o.portico)
		if err == nil {
			_, err = os.Stat(file)
		}
		return program{file, o.admin}, func() {}, err
	}
	folder, err := os.MkdirTemp("", "loadmodel")
	if err != nil {
		return program{}, nil, err
	}
	remove := func() { _ = os.RemoveAll(folder) }
	file := filepath.Join(folder, "portico")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", file, "portico/cmd/portico").CombinedOutput()
	if err != nil {
		remove()
		return program{}, nil, fmt.Errorf("build Portico: %w: %s; run loadmodel inside the module, or name a binary with --portico", err, bytes.TrimSpace(out))
	}
	return program{file, o.admin}, remove, nil
}

// A running is a Portico process.
type running struct {
	address string
	admin   string // address of the operators' door
	process *exec.Cmd
	stderr  bytes.Buffer
	folder  string // with its settings
}

// notAvailable is what Portico says of a mode that it does not have.
type notAvailable string

func (said notAvailable) Error() string { return string(said) }

// stopWithin is how long Portico may take to end; then it is killed. Its own grace is 5 s.
const stopWithin = 15 * time.Second

// start runs Portico in a mode before the contact centres, and returns once everything answers.
func start(ctx context.Context, built program, m mode, centres map[kind]*centre) (*running, error) {
	folder, err := os.MkdirTemp("", "loadmodel")
	if err != nil {
		return nil, err
	}
	p := &running{folder: folder}
	err = p.start(ctx, built, m.settings(centres[icws].address, centres[htcc].address))
	if err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

func (p *running) start(ctx context.Context, built program, settings string) error {
	const config = "loadmodel.yaml"
	err := errors.Join(os.WriteFile(filepath.Join(p.folder, config), []byte(settings), 0o600),
		os.WriteFile(filepath.Join(p.folder, servicePassword), []byte("portico"), 0o600))
	if err != nil {
		return err
	}
	const free = "127.0.0.1:0"
	process := exec.CommandContext(ctx, built.file, "demo", "--json", "--config", config, "--listen", free, "--admin", cmp.Or(built.admin, free), "--icws", free, "--htcc", free)
	process.Dir = p.folder
	process.Cancel = func() error { return process.Process.Signal(syscall.SIGTERM) }
	process.WaitDelay = stopWithin
	process.Stderr = &p.stderr
	stdout, err := process.StdoutPipe()
	if err != nil {
		return err
	}
	err = process.Start()
	if err != nil {
		return err
	}
	p.process = process
	line, err := bufio.NewReader(stdout).ReadBytes('\n') // or the process has ended
	if err != nil {
		return p.refusal()
	}
	var at struct{ Portico, Admin string }
	err = json.Unmarshal(line, &at)
	p.address, p.admin = at.Portico, at.Admin
	return err
}

// refusal returns why Portico did not start.
func (p *running) refusal() error {
	_ = p.process.Wait() // what it says on stderr says more
	p.process = nil
	said := strings.ReplaceAll(strings.TrimSpace(p.stderr.String()), "\n", "; ")
	if strings.Contains(said, "is not available in this version") {
		return notAvailable(said)
	}
	return fmt.Errorf("portico did not start: %s", said)
}

// receives says whether none of Portico's readers is broken, as its metrics tell.
func (p *running) receives(ctx context.Context) bool {
	r := request{method: http.MethodGet, url: "http://" + p.admin + "/metrics"}
	got, err := r.do(ctx, http.DefaultClient)
	return err == nil && got.status == http.StatusOK && !hasBroken(string(got.body))
}

// hasBroken says whether metrics count a reader that is broken.
func hasBroken(metrics string) bool {
	for line := range strings.Lines(metrics) {
		if strings.HasPrefix(line, "portico_upstream_streams{") && strings.Contains(line, `state="broken"`) && !strings.HasSuffix(line, "} 0\n") {
			return true
		}
	}
	return false
}

// stop ends Portico as an operator would, and waits for it.
func (p *running) stop() error {
	defer func() { _ = os.RemoveAll(p.folder) }()
	if p.process == nil {
		return nil
	}
	kill := time.AfterFunc(stopWithin, func() { _ = p.process.Process.Kill() })
	defer kill.Stop()
	_ = p.process.Process.Signal(syscall.SIGTERM) // it may have ended
	err := p.process.Wait()
	if err != nil && p.process.ProcessState != nil && !p.process.ProcessState.Success() {
		return fmt.Errorf("portico ended badly: %w: %s", err, strings.TrimSpace(p.stderr.String()))
	}
	return nil
}
