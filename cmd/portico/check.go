package main

import (
	"context"
	"errors"
	"fmt"

	"portico/config"
)

// check says all that is wrong with a settings file, and what is allowed but rarely meant.
func check(ctx context.Context, p process, args []string) error {
	set := p.flags("check", "FILE")
	err := parse(set, args, 1)
	if err != nil {
		return err
	}
	if set.NArg() == 0 {
		fmt.Fprintln(p.stderr, "portico check: name the settings file")
		return errUsage
	}
	cfg, err := config.Load(ctx, set.Arg(0), p.environ)
	if err != nil {
		fmt.Fprintln(p.stderr, err)
		return errors.New("the settings are not usable")
	}
	for _, warning := range cfg.Warnings {
		fmt.Fprintf(p.stdout, "warning: %s\n", warning)
	}
	fmt.Fprintf(p.stdout, "%s: ok\n", set.Arg(0))
	return nil
}
