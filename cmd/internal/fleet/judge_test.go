package fleet

import (
	"fmt"
	"slices"
	"testing"
)

// A verdict is what came of the notifications of some agents.
type verdict struct {
	told    int
	doubled int      // states of one who writes that were told twice in a row
	missing []string // states that were and that no client was told of: the site shows only the newest
	faults  []string // states told twice, late, or that never were; and newest ones not told
	excused []string // faults that may be
}

func (v *verdict) add(other verdict) {
	v.told += other.told
	v.missing = append(v.missing, other.missing...)
	v.faults = append(v.faults, other.faults...)
	v.excused = append(v.excused, other.excused...)
}

// judge holds what a client was told to the numbers of the states that its agent was given since the
// one numbered from.
func (v *verdict) judge(who string, told []Told, from, last int) {
	at := from
	for _, one := range told {
		var n int
		_, err := fmt.Sscanf(one.State, "Step %d", &n)
		switch {
		case err != nil || n > last:
			v.faults = append(v.faults, fmt.Sprintf("%s: %q, which was not", who, one.State))
			continue
		case n <= at:
			v.faults = append(v.faults, fmt.Sprintf("%s: %q after %q", who, one.State, step(at)))
			continue
		}
		v.told++
		v.skip(who, at+1, n)
		at = n
	}
	if at < last {
		v.faults = append(v.faults, fmt.Sprintf("%s: %q is the last, not %q", who, step(at), step(last)))
	}
}

func (v *verdict) skip(who string, from, to int) {
	for n := from; n < to; n++ {
		v.missing = append(v.missing, fmt.Sprintf("%s: %q", who, step(n)))
	}
}

// turns are the states of those who write, as they are told.
var turns = []string{"Ready", "Not Ready"}

// judgeTurns holds what the client of one who writes was told to the writes after the one numbered from:
// those alternate, and so must what is told of them, up to the last.
func (v *verdict) judgeTurns(who string, told []Told, from, last int) {
	fault := func(format string, args ...any) {
		v.faults = append(v.faults, fmt.Sprintf("%s: ", who)+fmt.Sprintf(format, args...)+fmt.Sprintf(" in %v", states(told)))
	}
	before := turn(from)
	for _, one := range told {
		if one.State == before {
			fault("%q twice", before)
			v.doubled++
		}
		before = one.State
		v.told++
	}
	back := len(told) == 0 && turn(last) == atLogin // nobody read while the state changed, and changed back
	if before != turn(last) && !back {
		fault("%q is the last, not %q", before, turn(last))
	}
	if len(told) > last-from {
		fault("told of %d writes of %d", len(told), last-from)
	}
	for range last - from - len(told) {
		v.missing = append(v.missing, who+": a write")
	}
}

// atLogin is the state of those who have written nothing yet, of which they may have been told.
const atLogin = "Not Ready"

// turn returns the state after so many writes. Before the first one there may be any.
func turn(writes int) string {
	if writes == 0 {
		return ""
	}
	return turns[(writes-1)%len(turns)]
}

func states(told []Told) []string {
	var all []string
	for _, one := range told {
		all = append(all, one.State)
	}
	return all
}

// TestVerdicts has clients that were told what they should not have been.
func TestVerdicts(t *testing.T) {
	numbered := func(numbers ...int) []Told {
		var told []Told
		for _, n := range numbers {
			told = append(told, Told{State: step(n)})
		}
		return told
	}
	for name, c := range map[string]struct {
		told    []Told
		missing int
		faults  int
	}{
		"all in order":                     {numbered(3, 4, 5), 0, 0},
		"one that the next took the place": {numbered(3, 5), 1, 0},
		"one twice":                        {numbered(3, 4, 4, 5), 0, 1},
		"an older one after a newer":       {numbered(4, 3, 5), 1, 1},
		"the newest not":                   {numbered(3, 4), 0, 1},
		"one from before":                  {numbered(2, 3, 4, 5), 0, 1},
		"one that never was":               {append(numbered(3, 4, 5), Told{State: "Inactive"}), 0, 1},
		"nothing":                          {nil, 0, 1},
	} {
		v := verdict{}
		v.judge("agent", c.told, 2, 5)
		if len(v.missing) != c.missing || len(v.faults) != c.faults {
			t.Errorf("%s: %q missing, faults %q; want %d and %d", name, v.missing, v.faults, c.missing, c.faults)
		}
	}
	for name, c := range map[string]struct {
		told            []string
		missing, faults int
	}{
		"each":                {[]string{"Ready", "Not Ready", "Ready"}, 0, 0},
		"the last of three":   {[]string{"Ready"}, 2, 0},
		"one twice":           {[]string{"Ready", "Ready"}, 1, 1},
		"one from before":     {[]string{"Not Ready", "Ready"}, 1, 1},
		"more than there was": {[]string{"Ready", "Not Ready", "Ready", "Not Ready", "Ready"}, 0, 1},
		"not the last":        {[]string{"Ready", "Not Ready"}, 1, 1},
	} {
		var told []Told
		for _, state := range c.told {
			told = append(told, Told{State: state})
		}
		v := verdict{}
		v.judgeTurns("agent", told, 2, 5)
		if len(v.missing) != c.missing || len(v.faults) != c.faults {
			t.Errorf("%s: %q missing, faults %q; want %d and %d", name, v.missing, v.faults, c.missing, c.faults)
		}
	}
	for writes, faults := range map[int]int{1: 1, 2: 0} {
		v := verdict{}
		v.judgeTurns("agent", nil, 0, writes)
		if len(v.missing) != writes || len(v.faults) != faults {
			t.Errorf("nothing of the first %d: %q missing, faults %q; want %d faults", writes, v.missing, v.faults, faults)
		}
	}
}

// failures returns those of all accounts, in the order they came.
func failures(accounts map[string]Account) []Event {
	return collect(accounts, func(a Account) []Event { return a.Failures })
}

// wrongs returns the reads that did not show what was written just before.
func wrongs(accounts map[string]Account) []Event {
	return collect(accounts, func(a Account) []Event { return a.Wrong })
}

func collect(accounts map[string]Account, of func(Account) []Event) []Event {
	var all []Event
	for name, account := range accounts {
		for _, e := range of(account) {
			all = append(all, Event{e.At, name + ": " + e.What})
		}
	}
	slices.SortFunc(all, func(a, b Event) int { return int(a.At - b.At) })
	return all
}
