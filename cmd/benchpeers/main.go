// Benchpeers measures Portico beside other gateways on the same job: nginx, Varnish, HAProxy and Caddy
// as Debian has them, and gin, net/http's ReverseProxy and Lura built here. All of them and the
// simulated contact centre run as processes of their own on this machine; wrk drives them in turn, pinned
// to a processor of their own and not. It stops what it started. Only ratios within a run say much, and
// it judges nothing but those.
//
// It needs Linux, and as root on Debian installs what is missing. A peer that is not there is left out.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"portico/cmd/internal/bench"
)

// settings are what the flags say.
type settings struct {
	portico  string // the binary
	rounds   int
	duration time.Duration // of one shot of wrk: whole seconds
	only     string        // the part to measure; "" = each
	out      string        // folder for the results; "" = none
	agents   int           // of the storm
	longest  time.Duration
}

func main() { bench.Main(run) }

// run measures as args say and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s, err := parse(args, stderr)
	if err == nil && s.out != "" {
		err = os.MkdirAll(s.out, 0o777) // before minutes are spent
	}
	if err == nil {
		err = bench.Within(ctx, s.longest, func(ctx context.Context) error { return stopped(ctx, measure(ctx, s, stdout, stderr)) })
	}
	return bench.Exit("benchpeers", err, stderr)
}

// stopped says of an error that comes of being stopped what stopped it.
func stopped(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("stopped: %w", context.Cause(ctx))
	}
	return err
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	set := flag.NewFlagSet("benchpeers", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.StringVar(&s.portico, "portico", "bin/portico", "the `binary` to measure")
	set.IntVar(&s.rounds, "rounds", 5, "`number` of rounds, in each of which every peer has its turn at everything")
	set.DurationVar(&s.duration, "duration", 2*time.Second, "`length` of a turn, in whole seconds")
	set.StringVar(&s.only, "only", "", fmt.Sprintf("`name` of the one part to measure: %q", names()))
	set.StringVar(&s.out, "out", "", "`folder` for results.md, results.csv and results.svg")
	set.IntVar(&s.agents, "agents", 5000, "`number` of agents in the storm of log-ins, at most 5000; 0 leaves storm and first readers out")
	set.DurationVar(&s.longest, "longest", 12*time.Minute, "`time` after which it gives up")
	fits := func() bool {
		return s.rounds >= 1 && s.duration >= time.Second && s.duration%time.Second == 0 && s.agents >= 0 && s.agents <= 5000 &&
			(s.only == "" || slices.Contains(names(), s.only))
	}
	err := bench.Parse(set, args, fits, fmt.Sprintf("a round, whole seconds, at most 5000 agents, one of the parts %q", names()))
	return s, err
}
