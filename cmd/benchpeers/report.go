package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"portico/cmd/internal/bench"
)

// A report is what was measured.
type report struct {
	settings    settings
	began       time.Time
	load, ended string // load average at the beginning and the end
	versions    string
	absent      []string
	figures     []figure
	rushes      []rush
	storm       *storm
}

// A reading is one number of a figure.
type reading func(figure) float64

func cost(f figure) float64     { return float64(f.processor.Nanoseconds()) / 1000 } // µs
func rate(f figure) float64     { return float64(f.requests) / f.took.Seconds() }
func p50(f figure) float64      { return bench.Milliseconds(f.p50) }
func p99(f figure) float64      { return bench.Milliseconds(f.p99) }
func busy(f figure) float64     { return f.busy }
func upstream(f figure) float64 { return f.upstream }
func memory(f figure) float64   { return f.memory / 1e6 } // MB

// of returns the figures of one who takes part, a round after the other.
func (r *report) of(mode, contest, peer string) []figure {
	var all []figure
	for _, f := range r.figures {
		if f.mode == mode && f.contest == contest && f.peer == peer {
			all = append(all, f)
		}
	}
	return all
}

// median returns the median of a reading over the rounds, and whether there were any.
func (r *report) median(mode, contest, peer string, of reading) (float64, bool) {
	var all []float64
	for _, f := range r.of(mode, contest, peer) {
		all = append(all, of(f))
	}
	return middle(all)
}

// ratio returns the median of Portico's reading to a peer's, each with that of the same round: what else
// the machine did then was nearly the same.
func (r *report) ratio(mode, contest, peer string, of reading) (float64, bool) {
	ours, theirs := r.of(mode, contest, porticoName), r.of(mode, contest, peer)
	var all []float64
	for i := range min(len(ours), len(theirs)) {
		if by := of(theirs[i]); by > 0 {
			all = append(all, of(ours[i])/by)
		}
	}
	return middle(all)
}

// middle returns the median of values, and whether there are any.
func middle(values []float64) (float64, bool) {
	if len(values) == 0 {
		return 0, false
	}
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[half-1] + sorted[half]) / 2, true
	}
	return sorted[half], true
}

// save writes the results to the folder that the settings name.
func (r *report) save() error {
	if r.settings.out == "" {
		return nil
	}
	var failed error
	for name, text := range map[string][]byte{"results.md": []byte(r.markdown()), "results.csv": r.csv(), "results.svg": r.chart()} {
		failed = errors.Join(failed, os.WriteFile(filepath.Join(r.settings.out, name), text, 0o666))
	}
	return failed
}
