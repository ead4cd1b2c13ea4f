package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestASecondSignalStopsAtOnce has a process that would drain for ten minutes.
func TestASecondSignalStopsAtOnce(t *testing.T) {
	c := newCentres(t, nil)
	file := filepath.Join(t.TempDir(), "portico.yaml")
	write(t, file, c.settings+"drain_delay: 10m\n")
	log := &journal{}
	portico := exec.CommandContext(t.Context(), os.Args[0], "serve", "--config", file)
	portico.Env = []string{asPortico + "=1"}
	portico.Stdout, portico.Stderr = log, log
	must(t, portico.Start())
	ended := make(chan error, 1)
	go func() { ended <- portico.Wait() }()
	log.await(t, `"msg":"serving"`)

	must(t, portico.Process.Signal(syscall.SIGHUP))
	log.await(t, `"msg":"settings reloaded"`)
	must(t, portico.Process.Signal(syscall.SIGTERM))
	log.await(t, `"msg":"stopping"`)
	began := time.Now()
	var err error
	eventually(t, "a second signal ends the process", func() bool {
		_ = portico.Process.Signal(syscall.SIGTERM) // again and again: the first may be early
		select {
		case err = <-ended:
			return true
		case <-time.After(50 * time.Millisecond):
			return false
		}
	})
	exit, _ := errors.AsType[*exec.ExitError](err)
	if exit == nil || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		t.Errorf("the process ended in %v; want the signal's own end", err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}

// A program is a Portico as a process of its own.
type program struct {
	t     *testing.T
	cmd   *exec.Cmd
	log   *journal
	ended chan error
}

func startProgram(t *testing.T, args ...string) *program {
	t.Helper()
	p := &program{t, exec.CommandContext(t.Context(), os.Args[0], args...), &journal{}, make(chan error, 1)}
	p.cmd.Env = []string{asPortico + "=1"}
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	must(t, p.cmd.Start())
	go func() { p.ended <- p.cmd.Wait() }()
	return p
}

// stops sends the signal that stops it, once, and holds that it ends.
func (p *program) stops(when string) {
	p.t.Helper()
	must(p.t, p.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-p.ended:
	case <-time.After(20 * time.Second):
		_ = p.cmd.Process.Kill()
		p.t.Errorf("%s: it does not end; log:\n%s", when, p.log)
	}
}

// openPipe opens a pipe to write to, once somebody reads it.
func openPipe(t *testing.T, pipe string) *os.File {
	t.Helper()
	var writer *os.File
	eventually(t, "somebody reads the pipe", func() bool {
		var err error
		writer, err = os.OpenFile(pipe, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		return err == nil
	})
	return writer
}

// TestSettingsInAPipe has nobody write to it, and then somebody, once.
func TestSettingsInAPipe(t *testing.T) {
	c := newCentres(t, nil)
	pipe := filepath.Join(t.TempDir(), "pipe")
	must(t, syscall.Mkfifo(pipe, 0o600))
	for _, command := range [][]string{{"serve", "--config", pipe}, {"check", pipe}} {
		portico := startProgram(t, command...)
		writer := openPipe(t, pipe)
		portico.stops(command[0] + " waits for its settings")
		must(t, writer.Close())
	}
	portico := startProgram(t, "serve", "--config", pipe)
	writer := openPipe(t, pipe)
	_, err := writer.WriteString(c.settings + "drain_delay: 0s\n")
	must(t, errors.Join(err, writer.Close()))
	portico.log.await(t, `"msg":"serving"`)
	portico.log.await(t, `"msg":"the settings are not read again"`)
	portico.stops("it serves with settings of a pipe")
}
