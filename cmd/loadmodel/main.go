// Loadmodel plays a compressed shift of many agents against simulated contact centres, once directly
// and once through Portico in each of its modes, and tells what that costs the contact centres.
//
// The contact centres are Portico's own simulators, served by this process; Portico is its own
// binary, built for the run. Every request is counted at the simulators' door, and the totals are
// held to what the simulators say themselves.
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
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process without waiting
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// run plays the shift in every mode that args name, prints the tables and writes the files. It fails
// when a mode could not be played to its end, when applications met failures, or when totals are not
// those of the simulators.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		fmt.Fprintf(stderr, "loadmodel: %v\nloadmodel --help explains\n", err)
		return exitUsage
	}
	err = o.play(ctx, stdout, stderr)
	if err != nil {
		fmt.Fprintf(stderr, "loadmodel: %v\n", err)
		return exitFailed
	}
	return exitOK
}

// play measures every mode, then reports on all that were measured.
func (o options) play(ctx context.Context, stdout, stderr io.Writer) error {
	err := os.MkdirAll(o.out, 0o755)
	if err != nil {
		return err
	}
	built, remove, err := o.program(ctx)
	if err != nil {
		return err
	}
	defer remove()
	all := report{agents: o.agents, duration: o.duration}
	for _, m := range o.modes {
		fmt.Fprintf(stderr, "%s ...\n", m.title)
		result, err := measure(ctx, m, built, o.agents, o.duration)
		if err != nil {
			return fmt.Errorf("%s: %w", m.title, err)
		}
		all.results = append(all.results, result)
	}
	all.print(stdout)
	return errors.Join(all.write(o.out), all.faults())
}
