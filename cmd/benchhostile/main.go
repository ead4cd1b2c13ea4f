// Benchhostile measures what agents feel while hostile callers are at the door: how long their requests
// take in quiet, and during each attack, in one run. It starts Portico and both simulators as processes
// of their own, and each attack as another, of the lowest priority, since attackers bring their own
// machines; all are stopped. It needs Linux, and slowhttptest for the slow ones.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// settings are what the flags say.
type settings struct {
	portico string // the binary
	agents  int
	rate    int // of all agents' requests a second
	round   time.Duration
	longest time.Duration
	only    string // the attack to measure; "" = each
	csv     string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) > 1 && os.Args[1] == attackCommand {
		os.Exit(runAttack(ctx, os.Args[2:], os.Stdout, os.Stderr))
	}
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run measures as args say and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.longest, fmt.Errorf("not done after %v", s.longest))
	defer cancel()
	err = measure(ctx, s, stdout, stderr)
	if err != nil {
		fmt.Fprintf(stderr, "benchhostile: %v\n", err)
		return 1
	}
	return 0
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	set := flag.NewFlagSet("benchhostile", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.StringVar(&s.portico, "portico", "bin/portico", "the `binary` to measure")
	set.IntVar(&s.agents, "agents", 100, "`number` of agents, at most 9998")
	set.IntVar(&s.rate, "rate", 200, "`requests` a second of all agents together")
	set.DurationVar(&s.round, "round", 15*time.Second, "`length` of each round")
	set.DurationVar(&s.longest, "longest", 10*time.Minute, "`time` after which it gives up")
	set.StringVar(&s.only, "only", "", "`name` of the one attack to measure")
	set.StringVar(&s.csv, "csv", "", "`file` for the figures")
	err := set.Parse(args)
	if err != nil {
		return s, err
	}
	_, known := attacks[s.only]
	if set.NArg() > 0 || s.agents < 1 || s.agents > 9998 || s.rate < 1 || s.only != "" && !known {
		fmt.Fprintf(stderr, "benchhostile: want 1 to 9998 agents, a rate of at least 1, one of the attacks %q, and no arguments besides flags\n", names())
		return s, errors.New("usage")
	}
	return s, nil
}
