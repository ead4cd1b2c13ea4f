package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// options are what the command line asks for.
type options struct {
	agents   int
	duration time.Duration
	out      string // folder
	portico  string // a binary that is built already; "" builds one
	admin    string // address of the operators' door of Portico; "" is any
	modes    []mode
}

// What may be asked for. The ICWS simulator has agent0001 to agent9999. A shift shorter than a
// second has no time between the steps of an agent.
const (
	mostAgents    = 9999
	shortestShift = time.Second
	longestShift  = time.Hour
)

const help = `Usage: loadmodel [flags]

Plays a shift of eight hours, compressed into --duration, of many agents against simulated contact
centres: directly, and through Portico in each of its modes. It prints the requests that reached the
contact centres per agent-hour by route and mode, holds the totals to the simulators' own, and writes
loadmodel.csv and loadmodel.svg. Each mode takes --duration, or longer where the machine is too slow
for it: no step of the shift is left out. README.md has the mix of agents and what is scaled how.

`

// parse reads the command line. Asked for help it prints it and fails with flag.ErrHelp.
func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	set := flag.NewFlagSet("loadmodel", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.IntVar(&o.agents, "agents", 1000, fmt.Sprintf("`number` of agents, 1 to %d", mostAgents))
	set.DurationVar(&o.duration, "duration", time.Minute, fmt.Sprintf("`time` that the shift is compressed into, %v to %v", shortestShift, longestShift))
	set.StringVar(&o.out, "out", "loadmodel-results", "`folder` for loadmodel.csv and loadmodel.svg, made if it is not there")
	set.StringVar(&o.portico, "portico", "", "`file` of a built Portico; without it one is built, which needs the go command")
	set.StringVar(&o.admin, "admin", "", "`address` of Portico's admin listener, for a Prometheus to watch the shift; any free one without it")
	names := set.String("modes", strings.Join(modeNames(), ","), "`names` of the modes to play, with commas between; shares are told only beside direct")
	err := set.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stderr, help)
		set.SetOutput(stderr)
		set.PrintDefaults()
		return options{}, err
	}
	if err == nil {
		o.modes, err = modesNamed(*names)
	}
	if err == nil {
		err = o.check(set.Args())
	}
	return o, err
}

// check says what cannot be played.
func (o options) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("%q is no flag, and there is nothing but flags", rest[0])
	case o.agents < 1 || o.agents > mostAgents:
		return fmt.Errorf("--agents %d: want 1 to %d", o.agents, mostAgents)
	case o.duration < shortestShift || o.duration > longestShift:
		return fmt.Errorf("--duration %v: want %v to %v", o.duration, shortestShift, longestShift)
	case o.out == "":
		return errors.New("--out: want the name of a folder")
	}
	return nil
}

// modesNamed returns the modes of a list of names, in the order of the table.
func modesNamed(list string) ([]mode, error) {
	asked := strings.Split(list, ",")
	for _, name := range asked {
		if !slices.Contains(modeNames(), name) {
			return nil, fmt.Errorf("--modes %q: there is no mode %q; want some of %s", list, name, strings.Join(modeNames(), ","))
		}
	}
	var found []mode
	for _, m := range modes {
		if slices.Contains(asked, m.name) {
			found = append(found, m)
		}
	}
	return found, nil
}
