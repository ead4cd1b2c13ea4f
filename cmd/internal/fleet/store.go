package fleet

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"

	"portico/cmd/internal/bench"
)

// A Store is Debian's redis-server, which writes what it has to a file when it is stopped.
type Store struct {
	Address string // host:port, the same again after a restart

	ctx     context.Context
	folder  string
	stderr  io.Writer
	process *bench.Process // nil while it is away
}

func (s *Store) open(host string) error {
	var err error
	s.Address, err = freeAddress(host)
	if err != nil {
		return err
	}
	return s.Start()
}

// Start starts it with what it had, and returns once it takes connections.
func (s *Store) Start() error {
	host, port, _ := strings.Cut(s.Address, ":")
	p, err := bench.Start(s.ctx, s.stderr, nil, "redis-server", "--bind", host, "--port", port, "--dir", s.folder,
		"--save", "86400 1", "--maxmemory-policy", "noeviction")
	if err != nil {
		return err
	}
	s.process = p
	_, err = p.Find(`Ready to accept connections()`)
	return err
}

// Stop stops it, and returns once it has written what it has.
func (s *Store) Stop() error {
	err := s.process.Signal(syscall.SIGTERM)
	if err == nil {
		s.wait()
	}
	return err
}

func (s *Store) wait() {
	if s.process != nil {
		_ = s.process.Wait() // it was told to
		s.process = nil
	}
}

// Command gives it a command, and returns what it answers.
func (s *Store) Command(args ...string) (string, error) {
	host, port, _ := strings.Cut(s.Address, ":")
	said, err := exec.CommandContext(s.ctx, "redis-cli", append([]string{"-h", host, "-p", port}, args...)...).CombinedOutput()
	if err == nil && bytes.HasPrefix(said, []byte("ERR")) {
		err = fmt.Errorf("the store refuses %q: %s", args, said)
	}
	return string(said), err
}
