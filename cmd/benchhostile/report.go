package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"portico/cmd/internal/bench"
)

// most is how much longer than in quiet the slowest hundredth of requests may take.
const most = 2.0

// A report is what came of all rounds, in turn: a quiet one before each attack.
type report struct {
	settings settings
	rounds   []round
}

func milliseconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds()*1000, 'f', 1, 64) }

// print writes a table with an attack a line, beside the quiet round before it.
func (r *report) print(w io.Writer) {
	fmt.Fprintf(w, "%d agents, %d requests/s, a change of state to nine reads; times in ms from when a request was due\n\n",
		r.settings.agents, r.settings.rate)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "attack\tquiet p50\tp99\tattacked p50\tp99\tratio of p99\t\tfailed\twhat attackers got")
	for i := 1; i < len(r.rounds); i += 2 {
		quiet, attacked := r.rounds[i-1], r.rounds[i]
		verdict := "ok"
		if ratio(quiet, attacked) > most {
			verdict = "MISSED"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%.1f\t%s\t%d + %d of %d\t%s\n", attacked.name,
			milliseconds(bench.Percentile(quiet.served.took, 50)), milliseconds(bench.Percentile(quiet.served.took, 99)),
			milliseconds(bench.Percentile(attacked.served.took, 50)), milliseconds(bench.Percentile(attacked.served.took, 99)),
			ratio(quiet, attacked), verdict, quiet.served.failed, attacked.served.failed, len(quiet.served.took)+len(attacked.served.took), attacked.got)
	}
	table.Flush()
	for _, one := range r.rounds {
		if one.served.first != nil {
			fmt.Fprintf(w, "failed in a round with %q: %v\n", one.name, one.served.first)
		}
	}
}

func ratio(quiet, attacked round) float64 {
	return bench.Percentile(attacked.served.took, 99).Seconds() / bench.Percentile(quiet.served.took, 99).Seconds()
}

func (o outcome) String() string {
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(o)) {
		parts = append(parts, fmt.Sprintf("%s: %d", what, o[what]))
	}
	return strings.Join(parts, ", ")
}

// save writes a line for each round.
func (r *report) save(file string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	w := csv.NewWriter(f)
	rows := [][]string{{"attack", "requests", "failed", "p50_ms", "p99_ms"}}
	for _, one := range r.rounds {
		rows = append(rows, []string{one.name, strconv.Itoa(len(one.served.took)), strconv.Itoa(one.served.failed),
			milliseconds(bench.Percentile(one.served.took, 50)), milliseconds(bench.Percentile(one.served.took, 99))})
	}
	err = w.WriteAll(rows)
	if err != nil {
		return err
	}
	return f.Close()
}
