package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"syscall"
)

// slowConnections is how many connections slowhttptest holds: more than that it cannot.
const slowConnections = 1000

// slowHTTP attacks with slowhttptest in one of its modes, with the cookie of an agent.
func slowHTTP(path string, mode ...string) attack {
	return func(ctx context.Context, door string) (outcome, error) {
		cookie, err := logInAs(ctx, door, hostile)
		if err != nil {
			return nil, err
		}
		args := append([]string{"-c", strconv.Itoa(slowConnections), "-r", "500", "-l", "3600", "-p", "3", "-v", "1",
			"-j", cookie, "-u", "http://" + door + path}, mode...)
		cmd := exec.CommandContext(ctx, "slowhttptest", args...)
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
		text, err := cmd.CombinedOutput()
		if errors.Is(err, exec.ErrNotFound) {
			return nil, fmt.Errorf("slow requests are sent by slowhttptest: apt-get install slowhttptest: %w", err)
		}
		return lastStates(string(text)), nil
	}
}

var (
	colour    = regexp.MustCompile("\x1b\\[[0-9;]*[A-Za-z]")
	stateLine = regexp.MustCompile(`(?m)^(initializing|pending|connected|error|closed):\s+(\d+)`)
)

// lastStates reads the states of slowhttptest's connections when it was stopped.
func lastStates(text string) outcome {
	got := outcome{}
	for _, found := range stateLine.FindAllStringSubmatch(colour.ReplaceAllString(text, ""), -1) {
		n, err := strconv.Atoi(found[2])
		if err == nil {
			got[found[1]] = n
		}
	}
	return got
}
