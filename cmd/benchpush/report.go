package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"portico/cmd/internal/bench"
)

// A report is what was measured.
type report struct {
	settings settings
	load     string
	stages   []stage
	rounds   []round
}

// A target is a figure and what it is wanted to be.
type target struct {
	name   string
	figure float64
	unit   string
	wanted float64 // at most
	aim    float64 // 0 = none beyond that
}

const kilobyte = 1000 // bytes

// targets are what notifications may cost.
func (r *report) targets() []target {
	nobody, agents, sockets := r.stages[0].reading, r.stages[2].reading, r.stages[3].reading
	list := []target{
		{"memory of an idle agent with a held long poll and a stream", agents.per(nobody, r.settings.agents).resident / kilobyte, "KB", 60, 30},
		{"memory of an idle websocket", sockets.per(agents, r.settings.agents).resident / kilobyte, "KB", 8, 0},
	}
	if len(r.rounds) > 0 {
		list = append(list, target{"event to held client, 99th percentile, median of the rounds", bench.Milliseconds(r.p99()), "ms", 5, 0},
			target{"processor time of Portico for each event, median of the rounds", r.cost(), "µs", 42, 20})
	}
	return list
}

// p99 returns the median of the rounds' 99th percentiles.
func (r *report) p99() time.Duration {
	var all []time.Duration
	for _, one := range r.rounds {
		all = append(all, bench.Percentile(one.arrived, 99))
	}
	slices.Sort(all)
	return bench.Percentile(all, 50)
}

// cost returns the median of what the rounds' events took of processors, in microseconds.
func (r *report) cost() float64 {
	var all []time.Duration
	for _, one := range r.rounds {
		all = append(all, one.each())
	}
	slices.Sort(all)
	return 1000 * bench.Milliseconds(bench.Percentile(all, 50))
}

// print writes the report as tables.
func (r *report) print(w io.Writer) {
	over := ""
	if r.settings.https {
		over = " over HTTPS"
	}
	fmt.Fprintf(w, "%d agents on PureConnect, simulated%s; %d processors, %s; load average %s\n\n", r.settings.agents, over, runtime.NumCPU(), runtime.Version(), r.load)
	r.printStages(w)
	r.printRounds(w)
	r.printTargets(w)
}

func (r *report) printStages(w io.Writer) {
	fmt.Fprint(w, "Memory of Portico's process; for each agent, what a stage adds to the one before, in KB:\n\n")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "resident MB\tbefore GC MB\tresident\theap\tstacks\tspare\tgoroutines\t\n")
	for i, s := range r.stages {
		fmt.Fprintf(table, "%.1f\t%.1f\t", s.resident/kilobyte/kilobyte, s.before/kilobyte/kilobyte)
		if i == 0 {
			fmt.Fprintf(table, "\t\t\t\t\t  %s\n", s.name)
			continue
		}
		each := s.per(r.stages[i-1].reading, r.settings.agents)
		fmt.Fprintf(table, "%.1f\t%.1f\t%.1f\t%.1f\t%.2f\t  %s\n",
			each.resident/kilobyte, each.heap/kilobyte, each.stacks/kilobyte, each.spare/kilobyte, each.goroutines, s.name)
	}
	_ = table.Flush()
}

func (r *report) printRounds(w io.Writer) {
	for _, one := range r.rounds {
		fmt.Fprintf(w, "\nEvents for %v, load average %s: %d sent, %.0f/s, %d arrived; processors busy: Portico %.2f, simulator %.2f, driver %.2f\n"+
			"  Portico's for each event %.1f µs, answered connects %.2f\n",
			r.settings.round, one.load, one.sent, one.rate, len(one.arrived), one.busy["Portico"], one.busy["simulator"], one.busy["driver"], 1000*bench.Milliseconds(one.each()), one.answers)
		fmt.Fprintf(w, "  change to held client    %s\n  of it, until the simulator had answered the change  %s\n  of it, inside Portico    p99 at most %g ms\n",
			quantiles(one.arrived), quantiles(one.accepted), one.inside)
	}
}

func quantiles(sorted []time.Duration) string {
	return fmt.Sprintf("p50 %.2f ms, p99 %.2f ms, longest %.2f ms", bench.Milliseconds(bench.Percentile(sorted, 50)), bench.Milliseconds(bench.Percentile(sorted, 99)), bench.Milliseconds(bench.Percentile(sorted, 100)))
}

func (r *report) printTargets(w io.Writer) {
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "target\tfigure\twanted\taim\t\n")
	for _, t := range r.targets() {
		aim := "-"
		if t.aim > 0 {
			aim = fmt.Sprintf("%g %s", t.aim, t.unit)
		}
		verdict := "met"
		if t.figure > t.wanted {
			verdict = "NOT MET"
		}
		fmt.Fprintf(table, "%s\t%.1f %s\t%g %s\t%s\t%s\n", t.name, t.figure, t.unit, t.wanted, t.unit, aim, verdict)
	}
	_ = table.Flush()
}

// save writes the figures as CSV.
func (r *report) save(file string) error {
	rows := [][]string{{"figure", "value", "unit"}}
	add := func(name string, value float64, unit string) {
		rows = append(rows, []string{name, strconv.FormatFloat(value, 'f', 3, 64), unit})
	}
	add("agents", float64(r.settings.agents), "")
	for i, s := range r.stages {
		add(s.name+": resident", s.resident, "B")
		add(s.name+": resident before GC", s.before, "B")
		if i > 0 {
			each := s.per(r.stages[i-1].reading, r.settings.agents)
			add(s.name+": resident for each agent", each.resident, "B")
			add(s.name+": heap for each agent", each.heap, "B")
			add(s.name+": stacks for each agent", each.stacks, "B")
			add(s.name+": spare for each agent", each.spare, "B")
			add(s.name+": goroutines for each agent", each.goroutines, "")
		}
	}
	for i, one := range r.rounds {
		name := fmt.Sprintf("round %d: ", i+1)
		add(name+"sent", float64(one.sent), "")
		add(name+"arrived", float64(len(one.arrived)), "")
		add(name+"processor time of Portico for each event", 1000*bench.Milliseconds(one.each()), "µs")
		add(name+"answered connects for each event", one.answers, "")
		for _, p := range []int{50, 99, 100} {
			add(fmt.Sprintf("%schange to client p%d", name, p), bench.Milliseconds(bench.Percentile(one.arrived, p)), "ms")
			add(fmt.Sprintf("%schange to simulator p%d", name, p), bench.Milliseconds(bench.Percentile(one.accepted, p)), "ms")
		}
	}
	for _, t := range r.targets() {
		add(t.name, t.figure, t.unit)
	}
	return saveCSV(file, rows)
}

func saveCSV(file string, rows [][]string) error {
	var text bytes.Buffer
	err := csv.NewWriter(&text).WriteAll(rows)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text.Bytes(), 0o666)
}
