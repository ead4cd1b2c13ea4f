// Benchpush measures what notifications cost: the memory of an idle agent who holds a long poll here
// and has an event stream at the contact centre, the memory of an idle websocket, and the time from
// a change at the contact centre to the held client. It starts Portico and the ICWS simulator as
// processes of their own, and stops them. It judges nothing: figures depend on the machine.
//
// It needs Linux, whose /proc tells what a process uses. What the kernel keeps for a socket is in no
// process, and so in no figure here.
//
// With --scale it measures in place of that how what Portico uses grows with the number of agents.
package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"strconv"
	"strings"
	"time"

	"portico/cmd/internal/bench"
)

// settings are what the flags say.
type settings struct {
	portico  string // the binary
	agents   int
	atOnce   int // log-ins side by side
	rate     int // events a second
	round    time.Duration
	rounds   int
	longest  time.Duration
	https    bool // is spoken to the contact centre
	csv      string
	profiles string

	scale  []int         // agents at each step; none = measure what notifications cost
	steady time.Duration // that agents work at each step
	svg    string
}

func main() { bench.Main(run) }

// run measures as args say and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s, err := parse(args, stderr)
	do := measure
	if len(s.scale) > 0 {
		do = grow
	}
	if err == nil {
		err = bench.Within(ctx, s.longest, func(ctx context.Context) error { return do(ctx, s, stdout, stderr) })
	}
	return bench.Exit("benchpush", err, stderr)
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	set := flag.NewFlagSet("benchpush", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.StringVar(&s.portico, "portico", "bin/portico", "the `binary` to measure")
	set.IntVar(&s.agents, "agents", 5000, "`number` of agents, at most 9999")
	set.IntVar(&s.atOnce, "at-once", 16, "`log-ins` side by side")
	set.IntVar(&s.rate, "rate", 1000, "`events` a second over all agents")
	set.DurationVar(&s.round, "round", 20*time.Second, "`length` of a round of events")
	set.IntVar(&s.rounds, "rounds", 3, "`number` of rounds")
	set.DurationVar(&s.longest, "longest", 10*time.Minute, "`time` after which it gives up")
	set.BoolVar(&s.https, "https", false, "speak HTTPS to the contact centre, as to a real one: what does so for the simulator runs in the driver")
	set.StringVar(&s.csv, "csv", "", "`file` for the figures, one a line")
	set.StringVar(&s.profiles, "profiles", "", "`folder` for Portico's heap and goroutine profiles at each stage, and processor profiles of each round")
	set.Func("scale", "`numbers` of agents with commas between them, rising: measure each, in place of what notifications cost", s.setScale)
	set.DurationVar(&s.steady, "steady", 15*time.Second, "`time` that agents work at each step of --scale")
	set.StringVar(&s.svg, "svg", "", "`file` for the chart of --scale")
	fits := func() bool { return s.agents >= 1 && s.agents <= 9999 && s.atOnce >= 1 && s.rate >= 1 && s.rounds >= 0 }
	err := bench.Parse(set, args, fits, "1 to 9999 agents, a rate and log-ins of at least 1")
	return s, err
}

// setScale reads the steps of --scale.
func (s *settings) setScale(text string) error {
	s.scale = nil // the last one counts
	for word := range strings.SplitSeq(text, ",") {
		count, err := strconv.Atoi(word)
		if err != nil || count < 1 || count > 9999 || len(s.scale) > 0 && count <= s.scale[len(s.scale)-1] {
			return errors.New("want rising numbers from 1 to 9999, as 100,1000")
		}
		s.scale = append(s.scale, count)
	}
	return nil
}
