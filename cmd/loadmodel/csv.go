package main

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"maps"
	"slices"
)

// csv returns one line for each mode, contact centre, route, phase and persona. CometD has no rate: how
// often a connect is renewed depends on how long it is held, which is not compressed. Modes that were
// not played have no lines.
func (all report) csv() []byte {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	lines := [][]string{{"mode", "contact_centre", "route", "class", "phase", "application", "requests", "per_agent_hour"}}
	r := newRoster(all.agents)
	for _, one := range all.played() {
		for _, k := range inLine(one.calls) {
			lines = append(lines, []string{one.mode.name, string(k.kind), k.route, string(k.class), k.phase,
				cmp.Or(string(k.persona), "portico"), fmt.Sprint(one.calls[k]), perAgentHour(one, k, r)})
		}
	}
	_ = w.WriteAll(lines) // a buffer takes everything
	return out.Bytes()
}

func perAgentHour(one result, k key, r roster) string {
	if k.class == notifications {
		return ""
	}
	return fmt.Sprintf("%.5f", one.rate(r.count(k.kind), func(other key) bool { return other == k }))
}

// inLine returns keys in an order that is the same in every run.
func inLine(calls map[key]int) []key {
	return slices.SortedFunc(maps.Keys(calls), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.route, b.route), cmp.Compare(a.class, b.class),
			cmp.Compare(a.phase, b.phase), cmp.Compare(a.persona, b.persona))
	})
}
