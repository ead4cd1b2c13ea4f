package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	startWithin = 30 * time.Second // until a server takes connections
	stopWithin  = 10 * time.Second // until it is killed
)

// A house is where servers live: a folder for their files, which goes with them.
type house struct {
	folder  string
	servers []*server // in the order in which they were started
}

// A server is one that we started. Its access log is a file, as in operation.
type server struct {
	name    string
	address string // host:port
	stop    context.CancelFunc
	cmd     *exec.Cmd
	ended   chan struct{} // closed once it has
	log     string        // file
	errors  string        // file
}

func newHouse() (*house, error) {
	folder, err := os.MkdirTemp("", "benchpeers")
	if err != nil {
		return nil, err
	}
	h := &house{folder: folder}
	return h, os.Mkdir(h.settings(), 0o700)
}

// settings returns the folder of files that are written for servers. It is another than that of their logs, as on any
// host: Portico watches it, and would be told of each line.
func (h *house) settings() string { return filepath.Join(h.folder, "settings") }

// Close ends all servers, the last one first, and waits for each: it may log out at the one before.
func (h *house) Close() {
	for _, s := range slices.Backward(h.servers) {
		s.stop()
		<-s.ended
	}
	_ = os.RemoveAll(h.folder)
}

// file writes a file for a server and returns its path.
func (h *house) file(name, format string, values ...any) (string, error) {
	path := filepath.Join(h.settings(), name)
	return path, os.WriteFile(path, fmt.Appendf(nil, format, values...), 0o600)
}

// start starts a server on certain processors, "" for any, that is to listen at an address, "" for
// none, and waits until it does.
func (h *house) start(ctx context.Context, name, processors, address, program string, args ...string) (*server, error) {
	if processors != "" {
		program, args = "taskset", append([]string{"-c", processors, program}, args...)
	}
	s := &server{name: name, address: address, ended: make(chan struct{}),
		log: filepath.Join(h.folder, name+".log"), errors: filepath.Join(h.folder, name+".err")}
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx)) // Close has the order
	s.cmd = exec.CommandContext(ctx, program, args...)
	s.cmd.Env = append(os.Environ(), "HOME="+h.folder)
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.WaitDelay = stopWithin
	// A group of its own, or Ctrl-C would reach it before us; and an end with us, however that comes.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	err := s.run()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	h.servers = append(h.servers, s)
	return s, s.await()
}

// run starts the process, and has it write to its files.
func (s *server) run() error {
	out, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close() // the process has its own
	complaints, err := os.Create(s.errors)
	if err != nil {
		return err
	}
	defer complaints.Close()
	s.cmd.Stdout, s.cmd.Stderr = out, complaints
	err = s.cmd.Start()
	if err != nil {
		return err
	}
	go func() {
		_ = s.cmd.Wait()
		close(s.ended)
	}()
	return nil
}

// await waits until the server takes connections.
func (s *server) await() error {
	for began := time.Now(); s.address != ""; {
		conn, err := net.Dial("tcp", s.address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-s.ended:
			return errors.New(s.said("ended at once"))
		case <-time.After(20 * time.Millisecond):
		}
		if time.Since(began) > startWithin {
			return errors.New(s.said("does not listen"))
		}
	}
	return nil
}

// said tells what went wrong with a server, with the end of what it complained of.
func (s *server) said(what string) string {
	text, _ := os.ReadFile(s.errors)
	last, _ := os.ReadFile(s.log) // some complain there
	text = append(text, last...)
	return fmt.Sprintf("%s %s: %s", s.name, what, strings.TrimSpace(string(text[max(0, len(text)-2000):])))
}

// tidy empties the servers' logs, which grow by megabytes a second.
func (h *house) tidy() error {
	files, err := filepath.Glob(filepath.Join(h.folder, "*.log"))
	for _, file := range files {
		err = errors.Join(err, os.Truncate(file, 0))
	}
	return err
}

// freePort returns an address that nobody listens at.
func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// build builds the peers in Go, a module of their own, and returns the program.
func (h *house) build(ctx context.Context, stderr io.Writer) (string, error) {
	program := filepath.Join(h.folder, "peers")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, ".")
	cmd.Dir = filepath.Join("cmd", "benchpeers", "peers")
	cmd.Stderr = stderr
	err := cmd.Run()
	if err != nil {
		return "", fmt.Errorf("build the peers in Go, in %s of the repository: %w", cmd.Dir, err)
	}
	return program, nil
}
