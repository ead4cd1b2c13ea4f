package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// A report is what all modes cost the contact centres.
type report struct {
	agents   int
	duration time.Duration
	results  []result
}

// count returns how many requests of a result pass.
func (r result) count(pass func(key) bool) int {
	n := 0
	for k, calls := range r.calls {
		if pass(k) {
			n += calls
		}
	}
	return n
}

// rate returns how many of them there are for each of so many agents in an hour of the shift. What
// goes by the clock on the wall is as frequent in a shift that is not compressed, and is taken for the
// time that really passed.
func (r result) rate(agents int, pass func(key) bool) float64 {
	if agents == 0 {
		return 0
	}
	inShift, byClock := 0, 0.0
	for k, calls := range r.calls {
		switch {
		case !pass(k):
		case k.class.isTimed():
			byClock += float64(calls) * r.mode.weight(k.class)
		default:
			inShift += calls
		}
	}
	return (float64(inShift)/shiftLength.Hours() + byClock/r.wall.Hours()) / float64(agents)
}

// read passes requests other than state writes of a kind of contact centre.
func read(k kind) func(key) bool {
	return func(one key) bool { return one.kind == k && slices.Contains(reading, one.class) }
}

// isOf passes requests of a class.
func isOf(k kind, c class) func(key) bool {
	return func(one key) bool { return one.kind == k && one.class == c }
}

// unkept passes what keeps no session alive.
func unkept(pass func(key) bool) func(key) bool {
	return func(one key) bool { return one.class != keepAlives && pass(one) }
}

// but passes what is not of a persona.
func but(who persona, pass func(key) bool) func(key) bool {
	return func(one key) bool { return one.persona != who && pass(one) }
}

// direct returns the result of direct use; false if it was not played.
func (all report) direct() (result, bool) {
	for _, r := range all.results {
		if r.mode.direct {
			return r, true
		}
	}
	return result{}, false
}

// played returns the results of modes that Portico has.
func (all report) played() []result {
	return slices.DeleteFunc(slices.Clone(all.results), func(r result) bool { return r.missing != "" })
}

// write writes the files.
func (all report) write(folder string) error {
	return errors.Join(
		os.WriteFile(filepath.Join(folder, "loadmodel.csv"), all.csv(), 0o644),
		os.WriteFile(filepath.Join(folder, "loadmodel.svg"), all.chart(), 0o644))
}

// faults returns why the figures are not to be trusted.
func (all report) faults() error {
	var faults []error
	for _, r := range all.results {
		for _, one := range r.wrong {
			faults = append(faults, fmt.Errorf("%s: %s", r.mode.title, one))
		}
		if r.failed > 0 {
			faults = append(faults, fmt.Errorf("%s: %d steps of applications failed, the first: %w", r.mode.title, r.failed, r.failure))
		}
	}
	return errors.Join(faults...)
}
