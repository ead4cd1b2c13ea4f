package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A piped is Portico as a process whose log goes through a pipe.
type piped struct {
	*centres
	process *exec.Cmd
	stderr  *journal
	log     *bufio.Reader
	reader  *os.File // of log
	door    string
	admin   string
	ended   chan error
}

// servePiped starts a process and reads its log until it serves.
func servePiped(t *testing.T, more string) *piped {
	t.Helper()
	c := newCentres(t, nil)
	file := filepath.Join(t.TempDir(), "portico.yaml")
	write(t, file, c.settings+more)
	reader, writer, err := os.Pipe()
	must(t, err)
	t.Cleanup(func() { _ = reader.Close() })
	p := &piped{centres: c, process: exec.CommandContext(t.Context(), os.Args[0], "serve", "--config", file), stderr: &journal{},
		log: bufio.NewReader(reader), reader: reader, ended: make(chan error, 1)}
	p.process.Env = []string{asPortico + "=1"}
	p.process.Stdout, p.process.Stderr = writer, p.stderr
	must(t, p.process.Start())
	_ = writer.Close()
	go func() { p.ended <- p.process.Wait() }()
	for p.door == "" {
		line, err := p.log.ReadString('\n')
		must(t, err)
		var said struct{ Msg, Listen, Admin string }
		must(t, json.Unmarshal([]byte(line), &said))
		if said.Msg == "serving" {
			p.door, p.admin = "http://"+said.Listen, "http://"+said.Admin
		}
	}
	return p
}

// end has the process end, which must be a clean one.
func (p *piped) end() {
	p.t.Helper()
	must(p.t, p.process.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-p.ended:
		if err != nil {
			p.t.Errorf("the process ended in %v\n%s", err, p.stderr)
		}
	case <-time.After(30 * time.Second):
		_ = p.process.Process.Kill()
		p.t.Errorf("the process does not end")
	}
}

// TestTheEndOfTheLogsReaderIsNotOurs ends who reads the log: agents are served on, and logged off at the end.
func TestTheEndOfTheLogsReaderIsNotOurs(t *testing.T) {
	p := servePiped(t, "drain_delay: 0s\n")
	client := newClient(t)
	get(t, client, "anna", p.door+"/me")
	must(t, p.reader.Close())
	for range 3 {
		code, body := get(t, client, "anna", p.door+"/me")
		if code != http.StatusOK {
			t.Fatalf("without a reader of the log /me = %d %s", code, body)
		}
	}
	p.stderr.await(t, "portico: lines of the log are lost")
	eventually(t, "lost lines are counted", func() bool {
		_, text := get(t, client, "", p.admin+"/metrics")
		return !strings.Contains(text, `portico_log_messages_lost_total{reason="failed"} 0`)
	})
	p.sessions("anna", 1)
	client.CloseIdleConnections()
	p.end()
	p.sessions("anna", 0)
}

// TestNobodyWaitsForTheLogsReader has the log be read no more: agents are served, and the end comes in its time.
func TestNobodyWaitsForTheLogsReader(t *testing.T) {
	p := servePiped(t, "drain_delay: 2s\n")
	client := newClient(t)
	const pipe = 64 << 10 // bytes that it holds
	for served := 0; served < 3*pipe; served += 200 {
		code, body := get(t, client, "anna", p.door+"/me")
		if code != http.StatusOK {
			t.Fatalf("with a reader of the log that stalls /me = %d %s", code, body)
		}
	}
	began := time.Now()
	must(t, p.process.Process.Signal(syscall.SIGTERM))
	eventually(t, "it is not ready any more", func() bool {
		code, _ := get(t, client, "", p.admin+"/readyz")
		return code == http.StatusServiceUnavailable
	})
	select {
	case err := <-p.ended:
		must(t, err)
	case <-time.After(30 * time.Second):
		_ = p.process.Process.Kill()
		t.Errorf("%v after the signal it has not ended", time.Since(began))
	}
	p.sessions("anna", 0)
}

// TestTheLogIsWholeAtTheEnd reads the log of a process to its last line.
func TestTheLogIsWholeAtTheEnd(t *testing.T) {
	p := servePiped(t, "drain_delay: 0s\n")
	client := newClient(t)
	rest := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(p.log)
		rest <- string(text)
	}()
	const asked = 50
	for range asked {
		get(t, client, "anna", p.door+"/me")
	}
	client.CloseIdleConnections()
	p.end()
	text := <-rest
	if n := strings.Count(text, `"msg":"request"`); n != asked || !strings.Contains(text, `"msg":"stopping"`) || !strings.HasSuffix(text, "}\n") {
		t.Errorf("the log has %d of %d requests:\n%s", n, asked, text)
	}
}
