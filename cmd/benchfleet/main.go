// Benchfleet measures what it costs to share sessions through a store: how many reads and writes of
// agents are answered in a second, how long they take, and how often the store is asked for each, at a
// replica that keeps its sessions in memory, at one that reads what the sites push, and at another that
// does not. It starts all of it as processes of its own, and stops them. It judges nothing: figures
// depend on the machine, which agents, replicas, store and sites share here.
package main

import (
	"context"
	"flag"
	"io"
	"time"

	"portico/cmd/internal/bench"
)

// settings are what the flags say.
type settings struct {
	portico string // the binary
	agents  int
	atOnce  int // requests side by side
	round   time.Duration
	longest time.Duration
}

func main() { bench.Main(run) }

// run measures as args say and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s, err := parse(args, stderr)
	if err == nil {
		err = bench.Within(ctx, s.longest, func(ctx context.Context) error {
			rounds, err := measure(ctx, s, stderr)
			if err == nil {
				report(stdout, s, rounds)
			}
			return err
		})
	}
	return bench.Exit("benchfleet", err, stderr)
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
	fits := func() bool { return s.agents >= 1 && s.agents <= 9999 && s.atOnce >= 1 && s.round > 0 }
	err := bench.Parse(set, args, fits, "1 to 9999 agents, at least 1 request at once, rounds that last")
	return s, err
}
