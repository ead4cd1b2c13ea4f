// Benchhostile measures what agents feel while hostile callers are at the door: how long their requests
// take in quiet, and during each attack, in one run. It starts Portico and both simulators as processes
// of their own, and each attack as another, of the lowest priority, since attackers bring their own
// machines; all are stopped. It needs Linux, and slowhttptest for the slow ones.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"time"

	"portico/cmd/internal/bench"
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

func main() { bench.Main(run) }

// run measures, or attacks, as args say and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == attackCommand {
		return runAttack(ctx, args[1:], stdout, stderr)
	}
	s, err := parse(args, stderr)
	if err == nil {
		err = bench.Within(ctx, s.longest, func(ctx context.Context) error { return measure(ctx, s, stdout, stderr) })
	}
	return bench.Exit("benchhostile", err, stderr)
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
	fits := func() bool {
		return s.agents >= 1 && s.agents <= 9998 && s.rate >= 1 && (s.only == "" || attacks[s.only] != nil)
	}
	err := bench.Parse(set, args, fits, fmt.Sprintf("1 to 9998 agents, a rate of at least 1, one of the attacks %q", names()))
	return s, err
}
