package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// stopWithin is how long a process may take to stop before it is killed.
const stopWithin = 10 * time.Second

// A process is one that we started.
type process struct {
	cmd    *exec.Cmd
	output *bufio.Reader
	ended  chan error
}

// start starts a program with some variables besides our own, which is told to stop when ctx ends. What
// it complains of goes to stderr.
func start(ctx context.Context, stderr io.Writer, variables []string, program string, args ...string) (*process, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), variables...)
	cmd.Stderr = stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopWithin
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	err = cmd.Start()
	if err != nil {
		return nil, err
	}
	return &process{cmd: cmd, output: bufio.NewReader(out), ended: make(chan error, 1)}, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// startWithin is how long a process may take to tell where it listens.
const startWithin = 20 * time.Second

// find reads the output up to a line that matches and returns its groups. The rest is read and
// dropped, or the process would stop at a full pipe. A process that tells nothing is killed.
func (p *process) find(pattern string) ([]string, error) {
	overdue := time.AfterFunc(startWithin, func() { _ = p.cmd.Process.Kill() })
	defer overdue.Stop()
	wanted := regexp.MustCompile(pattern)
	for {
		line, err := p.output.ReadString('\n')
		groups := wanted.FindStringSubmatch(strings.TrimSpace(line))
		if err == nil && groups == nil {
			continue
		}
		go func() {
			_, _ = io.Copy(io.Discard, p.output)
			p.ended <- p.cmd.Wait()
		}()
		if err != nil {
			return nil, fmt.Errorf("%s ended, or was ended, before it told where it listens", p.cmd)
		}
		return groups[1:], nil
	}
}

// A scene is what is measured: Portico and its contact centre.
type scene struct {
	simulator, portico *process

	sim, door, admin string // addresses
	stop             func() // stops both and waits for them
}

// settingsFile is Portico as `portico demo` sets it up for agents of PureConnect.
const settingsFile = `listen: "127.0.0.1:0"
admin: "127.0.0.1:0"
sites:
  pureconnect:
    kind: icws
    urls: ["http://%s"]
    logins: {per_second: 10000}
    channels:
      voice: {workgroups: [Sales, Support]}
      email: {workgroups: [Mail]}
routes:
  - {match: "agent*", sites: [pureconnect]}
drain_delay: 0s
grace: 1s
`

// roomy has the simulator collect garbage seldom: a contact centre has machines of its own.
var roomy = []string{"GOGC=1000"}

// open starts the simulator and Portico on free ports.
func open(ctx context.Context, program string, stderr io.Writer) (*scene, error) {
	ctx, cancel := context.WithCancel(ctx)
	s := &scene{}
	s.stop = func() {
		cancel()
		for _, p := range []*process{s.portico, s.simulator} {
			if p != nil {
				<-p.ended
			}
		}
	}
	err := s.open(ctx, program, stderr)
	if err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func (s *scene) open(ctx context.Context, program string, stderr io.Writer) error {
	simulator, err := start(ctx, stderr, roomy, program, "simulate", "icws", "--listen", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.simulator = simulator
	found, err := simulator.find(`^ICWS simulator at (.+)$`)
	if err != nil {
		return err
	}
	s.sim = found[0]
	folder, err := os.MkdirTemp("", "benchpush")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "portico.yaml")
	err = os.WriteFile(file, fmt.Appendf(nil, settingsFile, s.sim), 0o600)
	if err != nil {
		return err
	}
	portico, err := start(ctx, stderr, nil, program, "serve", "--config", file)
	if err != nil {
		return err
	}
	s.portico = portico
	found, err = portico.find(`"msg":"serving","listen":"([^"]+)","admin":"([^"]+)"`)
	if err != nil {
		return err
	}
	s.door, s.admin = found[0], found[1]
	return nil
}
