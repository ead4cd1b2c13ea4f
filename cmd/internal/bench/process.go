package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"
)

const (
	startWithin = 20 * time.Second // until it tells where it listens
	stopWithin  = 10 * time.Second // until it is killed
)

// A Process is one that we started. Its owner calls Find or Hush once, and afterwards Wait.
type Process struct {
	Rest io.Writer // gets what it prints after what Find found; nil: nobody. Set before Find or Hush.

	cmd    *exec.Cmd
	output *bufio.Reader
	ended  chan error
}

// Start starts a program with some variables besides our own, which is told to stop when ctx ends. What
// it complains of goes to stderr.
func Start(ctx context.Context, stderr io.Writer, variables []string, program string, args ...string) (*Process, error) {
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
	return &Process{cmd: cmd, output: bufio.NewReader(out), ended: make(chan error, 1)}, nil
}

// PID is the process's number at the system.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Signal sends the process a signal.
func (p *Process) Signal(s syscall.Signal) error { return p.cmd.Process.Signal(s) }

// Wait waits for the process to end, once Find or Hush has returned. One goroutine does, once.
func (p *Process) Wait() error { return <-p.ended }

// Find reads the output up to a line that matches and returns its groups. The rest is read too, or
// the process would stop at a full pipe. A process that tells nothing is killed.
func (p *Process) Find(pattern string) ([]string, error) {
	overdue := time.AfterFunc(startWithin, func() { _ = p.cmd.Process.Kill() })
	defer overdue.Stop()
	wanted := regexp.MustCompile(pattern)
	for {
		line, err := p.output.ReadString('\n')
		groups := wanted.FindStringSubmatch(strings.TrimSpace(line))
		if err == nil && groups == nil {
			continue
		}
		p.Hush()
		if err != nil {
			return nil, fmt.Errorf("%s ended, or was ended, before it told where it listens", p.cmd)
		}
		return groups[1:], nil
	}
}

// Hush reads all output from now on. It is for a process whose output tells nothing.
func (p *Process) Hush() {
	rest := p.Rest
	if rest == nil {
		rest = io.Discard
	}
	go func() {
		_, _ = io.Copy(rest, p.output)
		p.ended <- p.cmd.Wait()
	}()
}
