package main

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestWrkIsToldWhatToSend(t *testing.T) {
	one := request{method: "GET", path: "/me", header: map[string]string{"Cookie": `a="b"`}}
	if got := scriptFor([]request{one}); !strings.Contains(got, `wrk.method, wrk.path, wrk.headers = "GET", "/me", {Host = wrk.headers.Host, ["Cookie"]="a=\"b\"",}`) {
		t.Errorf("one request is sent by\n%s", got)
	}
	two := request{method: "POST", path: "/me", body: `{"operationName":"Ready"}`}
	if got := scriptFor([]request{one, two}); !strings.Contains(got, `wrk.format("POST", "/me", {Host = wrk.headers.Host, }, "{\"operationName\":\"Ready\"}")`) || !strings.Contains(got, "if 2 > 1") {
		t.Errorf("two requests are sent by\n%s", got)
	}
}

func TestWhatWrkSays(t *testing.T) {
	got, err := readShot("Running 2s test\n  1 threads\nshot 5000 2000000 700 9000 3\n")
	want := shot{requests: 5000, took: 2 * time.Second, p50: 700 * time.Microsecond, p99: 9 * time.Millisecond, failed: 3}
	if err != nil || got != want {
		t.Errorf("read %+v, %v; want %+v", got, err, want)
	}
	for _, said := range []string{"unable to connect", "\nshot 0 2000000 0 0 64\n"} {
		_, err = readShot(said)
		if err == nil {
			t.Errorf("%q is no fault", said)
		}
	}
}

func TestFamilyHasChildren(t *testing.T) {
	cmd := exec.Command("sh", "-c", "sleep 60 & echo; wait")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	err = cmd.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	}()
	_, _ = out.Read(make([]byte, 1)) // the child is there
	all, err := familiesOf(&server{cmd: cmd})
	if err != nil || len(all) != 2 || all[0] != cmd.Process.Pid {
		t.Fatalf("the family is %v, %v; want the shell and its child", all, err)
	}
	used, err := all.memory()
	if err != nil || used <= 0 {
		t.Errorf("its memory is %v, %v", used, err)
	}
	before, err := all.clock()
	if err != nil || len(before) != 2 {
		t.Errorf("its clock is %v, %v; want one for each", before, err)
	}
}

func TestBusyOfThoseThatRunStill(t *testing.T) {
	before := clock{1: time.Second, 2: 5 * time.Second}
	after := clock{1: 3 * time.Second, 3: time.Second} // 2 has ended, 3 has begun
	if got := after.since(before); got != 3*time.Second {
		t.Errorf("busy for %v; want 3s", got)
	}
}

func TestHouseStopsWhatItStarted(t *testing.T) {
	h, err := newHouse()
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, name := range []string{"first", "second"} {
		s, err := h.start(t.Context(), name, "", "", "sleep", "60")
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, s.cmd.Process.Pid)
	}
	h.Close()
	for _, pid := range pids {
		if err := syscall.Kill(pid, 0); err == nil {
			t.Errorf("process %d runs still", pid)
		}
	}
	if _, err := os.Stat(h.folder); err == nil {
		t.Error("the folder is there still")
	}
}

func TestServerThatEndsAtOnceSaysWhy(t *testing.T) {
	h, err := newHouse()
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	_, err = h.start(t.Context(), "broken", "", "127.0.0.1:1", "sh", "-c", "echo no such setting >&2; exit 1")
	if err == nil || !strings.Contains(err.Error(), "no such setting") {
		t.Errorf("it says %v; want what the server complained of", err)
	}
}

func TestFlags(t *testing.T) {
	for _, args := range [][]string{{"--rounds", "0"}, {"--duration", "1500ms"}, {"--only", "nothing"}, {"--agents", "5001"}, {"more"}} {
		var said strings.Builder
		if code := run(t.Context(), args, &said, &said); code != 2 {
			t.Errorf("%q ends with %d; want 2: %s", args, code, said.String())
		}
	}
	if !slices.Contains(names(), "write") {
		t.Errorf("the parts are %q", names())
	}
}
