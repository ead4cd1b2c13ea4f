// Benchfleet measures what it costs to share sessions through a store: how many reads and writes of
// agents are answered in a second, how long they take, and how often the store is asked for each, at a
// replica that keeps its sessions in memory, at one that reads what the sites push, and at another that
// does not. It starts all of it as processes of its own, and stops them. It judges nothing: figures
// depend on the machine, which agents, replicas, store and sites share here.
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
	atOnce  int // requests side by side
	round   time.Duration
	longest time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
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
	rounds, err := measure(ctx, s, stderr)
	if err != nil {
		fmt.Fprintf(stderr, "benchfleet: %v\n", err)
		return 1
	}
	report(stdout, s, rounds)
	return 0
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	set := flag.NewFlagSet("benchfleet", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.StringVar(&s.portico, "portico", "bin/portico", "the `binary` to measure")
	set.IntVar(&s.agents, "agents", 200, "`number` of agents, at most 9999")
	set.IntVar(&s.atOnce, "at-once", 16, "`requests` side by side")
	set.DurationVar(&s.round, "round", 10*time.Second, "`length` of each round")
	set.DurationVar(&s.longest, "longest", 5*time.Minute, "`time` after which it gives up")
	err := set.Parse(args)
	if err != nil {
		return s, err
	}
	if set.NArg() > 0 || s.agents < 1 || s.agents > 9999 || s.atOnce < 1 || s.round <= 0 {
		fmt.Fprintln(stderr, "benchfleet: want 1 to 9999 agents, at least 1 request at once, rounds that last, and no arguments besides flags")
		return s, errors.New("usage")
	}
	return s, nil
}
