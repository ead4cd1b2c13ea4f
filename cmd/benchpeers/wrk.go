package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"time"
)

// A request is what a caller sends, as wrk is told of it.
type request struct {
	method, path, body string
	header             map[string]string
}

// A shot is what came of one turn of wrk.
type shot struct {
	requests int
	took     time.Duration
	p50, p99 time.Duration
	failed   int // connections, time-outs, and answers from 400 on
}

// connections are what wrk holds open: enough to keep a processor busy.
const connections = 64

// script is the program for wrk. What is to be sent is formatted once, and then sent in turn; a single
// request wrk repeats by itself, at less cost.
//
// Source: SCRIPTING of wrk 4.1.
const script = `
local list, at = {}, 0
function init()
%s
end
if %d > 1 then
  function request() at = at %% #list + 1 return list[at] end
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format("shot %%d %%d %%d %%d %%d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
`

// scriptFor returns the script that sends requests.
func scriptFor(requests []request) string {
	var lines strings.Builder
	for _, r := range requests {
		var header strings.Builder
		for name, value := range r.header {
			fmt.Fprintf(&header, "[%q]=%q,", name, value)
		}
		if len(requests) == 1 {
			fmt.Fprintf(&lines, "  wrk.method, wrk.path, wrk.headers = %q, %q, {Host = wrk.headers.Host, %s}\n", r.method, r.path, header.String())
			continue
		}
		fmt.Fprintf(&lines, "  table.insert(list, wrk.format(%q, %q, {Host = wrk.headers.Host, %s}, %q))\n", r.method, r.path, header.String(), r.body)
	}
	return fmt.Sprintf(script, lines.String(), len(requests))
}

// shoot has wrk send requests to a server for a while, from certain processors.
func (h *house) shoot(ctx context.Context, processors, address string, length time.Duration, requests []request) (shot, error) {
	file, err := h.file("shot.lua", "%s", scriptFor(requests))
	if err != nil {
		return shot{}, err
	}
	args := []string{"-t1", fmt.Sprintf("-c%d", connections), fmt.Sprintf("-d%ds", int(length.Seconds())), "--timeout", "10s", "-s", file, "http://" + address}
	program := "wrk"
	if processors != "" {
		program, args = "taskset", append([]string{"-c", processors, program}, args...)
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	if err != nil {
		return shot{}, fmt.Errorf("wrk: %w: %s", err, out.String())
	}
	return readShot(out.String())
}

// readShot reads what the script wrote among wrk's own words.
func readShot(out string) (shot, error) {
	var s shot
	var took, p50, p99 int64 // µs
	_, line, _ := strings.Cut(out, "\nshot ")
	_, err := fmt.Sscan(line, &s.requests, &took, &p50, &p99, &s.failed)
	if err != nil || s.requests == 0 {
		return s, fmt.Errorf("wrk says %q", out)
	}
	s.took, s.p50, s.p99 = time.Duration(took)*time.Microsecond, time.Duration(p50)*time.Microsecond, time.Duration(p99)*time.Microsecond
	return s, nil
}

// http returns the request for a server as net/http sends it.
func (r request) http(ctx context.Context, address string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, r.method, "http://"+address+r.path, strings.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	for name, value := range r.header {
		req.Header.Set(name, value)
	}
	return req, nil
}
