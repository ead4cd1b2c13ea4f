package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
)

// A process is what a subcommand is given of the world.
type process struct {
	environ []string
	stdout  io.Writer
	stderr  io.Writer
}

// A command is a subcommand: it returns when its work is done or ctx ends.
type command struct {
	name  string
	usage string
	run   func(ctx context.Context, p process, args []string) error
}

var commands = []command{
	{"serve", "serve --config FILE        serve agents as the settings say", serve},
	{"demo", "demo [--json]              try Portico with simulated contact centres", demo},
	{"check", "check FILE                 say all that is wrong with a settings file", check},
	{"simulate", "simulate icws|htcc         run one simulator alone", simulate},
	{"health", "health [ADDRESS]           ask a running Portico, at its admin address, whether it is alive", health},
}

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// errUsage says that the arguments were wrong and that this has been told.
var errUsage = errors.New("usage")

// run runs the subcommand that args name and returns the exit code.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	p := process{environ: environ, stdout: stdout, stderr: stderr}
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		usage(stdout)
		return exitOK
	}
	for _, c := range commands {
		if c.name == args[0] {
			return exitCode(c.run(ctx, p, args[1:]), stderr)
		}
	}
	fmt.Fprintf(stderr, "portico: there is no command %q\n\n", args[0])
	usage(stderr)
	return exitUsage
}

func exitCode(err error, stderr io.Writer) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.Is(err, errUsage):
		return exitUsage
	}
	fmt.Fprintf(stderr, "portico: %v\n", err)
	return exitFailed
}

func usage(w io.Writer) {
	fmt.Fprint(w, "Portico: one /me for the agents of PureConnect and HTCC contact centres.\n\n")
	for _, c := range commands {
		fmt.Fprintf(w, "  portico %s\n", c.usage)
	}
	fmt.Fprint(w, "\n  portico COMMAND -h         the flags of a command\n")
}

// flags returns an empty flag set for a subcommand; parse reads it. Asked for help it tells usage,
// the arguments of the subcommand, and its flags.
func (p process) flags(name, usage string) *flag.FlagSet {
	set := flag.NewFlagSet("portico "+name, flag.ContinueOnError)
	set.SetOutput(p.stderr)
	set.Usage = func() {
		fmt.Fprintf(p.stderr, "Usage: portico %s %s\n", name, usage)
		set.PrintDefaults()
	}
	return set
}

// parse reads args and allows at most max that are no flags. What is wrong has been told.
func parse(set *flag.FlagSet, args []string, max int) error {
	err := set.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	if err != nil {
		return errUsage
	}
	if set.NArg() > max {
		fmt.Fprintf(set.Output(), "%s: too many arguments: %q\n", set.Name(), set.Args()[max:])
		return errUsage
	}
	return nil
}
