package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"syscall"
)

// An attack goes on until ctx ends, and says what became of it.
type attack func(ctx context.Context, door string) (outcome, error)

// An outcome counts what an attack got, by what it is: a status, "refused" for a connection that was
// not taken, "closed" for one that ended without an answer.
type outcome map[string]int

// attacks are all of them, by name.
var attacks = map[string]attack{
	"slow headers":     slowHTTP("/api/v2/diagnostics/version", "-H", "-i", "5"),
	"slow bodies":      slowHTTP("/api/v2/me", "-B", "-i", "5", "-s", "60000"),
	"slow readers":     slowHTTP("/api/v2/me/status-messages", "-X", "-k", "10", "-w", "64", "-y", "128", "-n", "2"),
	"idle connections": idleConnections,
	"1 GB bodies":      largeBodies,
	wrongLoginsName:    wrongLogins,
	"deep JSON":        deepJSON,
}

const wrongLoginsName = "wrong log-ins"

func names() []string { return slices.Sorted(maps.Keys(attacks)) }

const attackCommand = "attack"

// lowest is the priority of those who attack: on a machine of their own they would take nothing of
// Portico's.
const lowest = 19

// runAttack is the process of one attack: args are its name and the door's address.
func runAttack(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) != 2 || attacks[args[0]] == nil {
		fmt.Fprintf(stderr, "benchhostile: attack wants one of %q and an address\n", names())
		return 2
	}
	err := syscall.Setpriority(syscall.PRIO_PROCESS, 0, lowest)
	if err != nil {
		fmt.Fprintf(stderr, "benchhostile: priority: %v\n", err)
		return 1
	}
	got, err := attacks[args[0]](ctx, args[1])
	if err != nil {
		fmt.Fprintf(stderr, "benchhostile: %v\n", err)
		return 1
	}
	err = json.NewEncoder(stdout).Encode(got)
	if err != nil {
		return 1
	}
	return 0
}

// send starts an attack, which goes on until ctx ends. Its outcome comes out of the function returned.
func send(ctx context.Context, name, door string, stderr io.Writer) (func() (outcome, error), error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, attackCommand, name, door)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = answerWithin
	cmd.Stderr = stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	err = cmd.Start()
	if err != nil {
		return nil, err
	}
	return func() (outcome, error) {
		var got outcome
		decoding := json.NewDecoder(out).Decode(&got)
		waiting := cmd.Wait()
		if decoding != nil {
			return nil, fmt.Errorf("attack with %s: %w (%v)", name, decoding, waiting)
		}
		return got, nil
	}, nil
}
