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
