package main

import (
	"fmt"
	"net/http"
	"slices"
)

// targets returns what each mode is to reach and what it reached; a figure that misses its target says
// so.
func (all report) targets(r roster) table {
	direct, compared := all.direct()
	t := table{all.head("target")}
	t = append(t, all.portico("catalogue fetches: one a session, or with `shared` one a language", func(one result) string {
		return catalogueFetches(one, r)
	}))
	t = append(t, all.portico("reads of agent state in the steady state, icws: 0", func(one result) string {
		n := inSteadyState(one, icws, stateReads)
		return held(n == 0, fmt.Sprint(n))
	}))
	t = append(t, all.portico("the same, htcc: at most one after each operation of an agent", func(one result) string {
		n := inSteadyState(one, htcc, stateReads)
		return held(n <= inSteadyState(one, htcc, writes), fmt.Sprint(n))
	}))
	if compared {
		t = append(t, all.portico("ICWS requests but state writes, of direct use: 20%, with `service` 5%", func(one result) string {
			share := one.share(direct, r, read(icws))
			return held(share <= one.mode.most, percent(share))
		}))
		t = append(t, all.portico("the same without keep-alives", func(one result) string {
			share := one.share(direct, r, unkept(read(icws)))
			return held(share <= one.mode.most, percent(share))
		}))
		t = append(t, all.portico(fmt.Sprintf("ICWS state writes: %d, as in direct use", direct.count(isOf(icws, writes))), func(one result) string {
			n := one.count(isOf(icws, writes))
			return held(n == direct.count(isOf(icws, writes)), fmt.Sprint(n))
		}))
	}
	t = append(t, all.portico("activation calls, apart from them", func(one result) string { return fmt.Sprint(one.count(isOf(icws, activations))) }))
	return append(t, all.cells("all requests, as the simulators count them", func(one result) string {
		return held(len(one.wrong) == 0, fmt.Sprint(one.count(func(key) bool { return true })))
	}))
}

// share returns what part of the requests of direct use a mode makes for ICWS agents.
func (r result) share(direct result, of roster, pass func(key) bool) float64 {
	whole := direct.rate(of.count(icws), pass)
	if whole == 0 {
		return 0
	}
	return r.rate(of.count(icws), pass) / whole
}

// portico returns a row about the modes of Portico.
func (all report) portico(title string, cell func(result) string) []string {
	return all.cells(title, func(one result) string {
		if one.mode.direct {
			return ""
		}
		return cell(one)
	})
}

func held(ok bool, figure string) string {
	if ok {
		return figure
	}
	return figure + " MISSED"
}

// catalogueFetches tells how often catalogues were fetched, and for how many sessions or languages.
func catalogueFetches(one result, r roster) string {
	fetched := one.count(isOf(icws, catalogue))
	wanted := r.languages(icws)
	if one.mode.catalogue == perSession {
		wanted = one.count(func(k key) bool {
			return k.kind == icws && k.route == http.MethodPost+" /icws/connection" && k.persona != nobody
		})
	}
	return held(fetched == wanted, fmt.Sprintf("%d for %d", fetched, wanted))
}

// inSteadyState returns how many requests of a class there were while nobody logged in or out and no
// stream broke.
func inSteadyState(one result, of kind, what class) int {
	return one.count(func(k key) bool {
		calm := slices.ContainsFunc(steady, func(p phase) bool { return p.name == k.phase })
		return calm && k.kind == of && k.class == what
	})
}
