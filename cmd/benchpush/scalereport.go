package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"

	"portico/cmd/internal/bench"
)

// A column is a figure of a step.
type column struct {
	name, unit string
	of         func(step) float64
}

// each returns what an agent adds to the memory of a Portico without any.
func (g *growth) each(bytes func(step) float64) func(step) float64 {
	return func(s step) float64 { return (bytes(s) - bytes(g.empty)) / float64(s.agents) / kilobyte }
}

// columns are what is measured of each step.
func (g *growth) columns() []column {
	return []column{
		{"all have come", "s", func(s step) float64 { return s.coming.Seconds() }},
		{"memory", "MB", func(s step) float64 { return s.memory / kilobyte / kilobyte }},
		{"memory at work", "MB", func(s step) float64 { return s.atWork / kilobyte / kilobyte }},
		{"each", "KB", g.each(func(s step) float64 { return s.memory })},
		{"heap of each", "KB", g.each(func(s step) float64 { return s.heap })},
		{"stacks of each", "KB", g.each(func(s step) float64 { return s.stacks })},
		{"goroutines", "", func(s step) float64 { return s.threads }},
		{"open files", "", func(s step) float64 { return s.files }},
		{"processors idle", "", func(s step) float64 { return s.idle }},
		{"at work", "", func(s step) float64 { return s.busy }},
		{"a collection", "ms of a processor", func(s step) float64 { return bench.Milliseconds(s.cleared) }},
		{"pause p99", "ms", func(s step) float64 { return bench.Milliseconds(bench.Percentile(s.pauses, 99)) }},
		{"pause longest", "ms", func(s step) float64 { return bench.Milliseconds(bench.Percentile(s.pauses, 100)) }},
		{"event p50", "ms", func(s step) float64 { return bench.Milliseconds(bench.Percentile(s.arrived, 50)) }},
		{"event p99", "ms", func(s step) float64 { return bench.Milliseconds(bench.Percentile(s.arrived, 99)) }},
		{"GET /me p99", "ms", func(s step) float64 { return bench.Milliseconds(bench.Percentile(s.reads, 99)) }},
	}
}

// print writes the run as a table, a line for each figure.
func (g *growth) print(w io.Writer) {
	fmt.Fprintf(w, "Agents on PureConnect, simulated, each with a held long poll and an event stream; %d processors, %s; load average %s\n",
		runtime.NumCPU(), runtime.Version(), g.load)
	fmt.Fprintf(w, "At work: a change of state of each every %v, a GET /me every %v, for %v\n\n", changeEvery, readEvery, g.settings.steady)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "agents\t")
	for _, one := range g.steps {
		fmt.Fprintf(table, "%d\t", one.agents)
	}
	fmt.Fprintln(table)
	for _, c := range g.columns() {
		fmt.Fprintf(table, "%s\t", c.title())
		for _, one := range g.steps {
			fmt.Fprintf(table, "%s\t", figure(c.of(one)))
		}
		fmt.Fprintln(table)
	}
	_ = table.Flush()
	fmt.Fprintln(w)
	for _, one := range g.steps {
		fmt.Fprintf(w, "%d agents: %d changes, %d arrived, %d reads; load average %s\n", one.agents, one.changes, len(one.arrived), len(one.reads), one.load)
	}
}

func (c column) title() string { return strings.TrimSuffix(c.name+", "+c.unit, ", ") }

// figure writes a figure with as many digits as say something.
func figure(value float64) string {
	switch {
	case value >= 100:
		return strconv.FormatFloat(value, 'f', 0, 64)
	case value >= 1:
		return strconv.FormatFloat(value, 'f', 1, 64)
	}
	return strconv.FormatFloat(value, 'f', 3, 64)
}

// save writes the run's files: figures and chart, each if it is wanted.
func (g *growth) save() error {
	if g.settings.csv != "" {
		err := g.saveFigures(g.settings.csv)
		if err != nil {
			return err
		}
	}
	if g.settings.svg != "" {
		return os.WriteFile(g.settings.svg, g.chart(), 0o666)
	}
	return nil
}

// saveFigures writes the figures as CSV, a line for each step.
func (g *growth) saveFigures(file string) error {
	head := []string{"agents"}
	for _, c := range g.columns() {
		head = append(head, c.title())
	}
	rows := [][]string{head}
	for _, one := range g.steps {
		row := []string{strconv.Itoa(one.agents)}
		for _, c := range g.columns() {
			row = append(row, strconv.FormatFloat(c.of(one), 'f', 4, 64))
		}
		rows = append(rows, row)
	}
	return saveCSV(file, rows)
}
