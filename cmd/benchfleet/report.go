package main

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"portico/cmd/internal/bench"
)

// report writes a table with a round a line.
func report(w io.Writer, s settings, rounds []round) {
	fmt.Fprintf(w, "%d agents, %d requests at once, rounds of %v; times in ms\n\n", s.agents, s.atOnce, s.round)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "sessions\trequest\trequests/s\tp50\tp99\tcalls of the store")
	for _, r := range rounds {
		fmt.Fprintf(table, "%s\t%s\t%.0f\t%s\t%s\t%.2f\n", r.where, r.request, float64(len(r.took))/r.lasted.Seconds(),
			milliseconds(bench.Percentile(r.took, 50)), milliseconds(bench.Percentile(r.took, 99)), r.calls)
	}
	_ = table.Flush()
}

func milliseconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds()*1000, 'f', 1, 64) }
