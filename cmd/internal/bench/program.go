package bench

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

// Main runs a program as the system starts it, until it is done or told to stop, and ends the process.
func Main(run func(ctx context.Context, args []string, stdout, stderr io.Writer) int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// errUsage is what a command line fails with that asks for nothing that can be measured. Its writer was told.
var errUsage = errors.New("usage")

// Parse reads a command line that has nothing but flags, and holds what they say to fits. Of a wrong one the
// flags' output is told what is wanted.
func Parse(flags *flag.FlagSet, args []string, fits func() bool, want string) error {
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return err
	case err != nil: // of which the flags have told
		return errUsage
	case flags.NArg() > 0 || !fits():
		fmt.Fprintf(flags.Output(), "%s: want %s, and no arguments besides flags\n", flags.Name(), want)
		return errUsage
	}
	return nil
}

// Within measures for no longer than that.
func Within(ctx context.Context, longest time.Duration, measure func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, longest, fmt.Errorf("not done after %v", longest))
	defer cancel()
	return measure(ctx)
}

// Exit returns the exit code for what a program came to, and tells of an error unless Parse has.
func Exit(name string, err error, stderr io.Writer) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return 2
	}
	fmt.Fprintf(stderr, "%s: %v\n", name, err)
	return 1
}
