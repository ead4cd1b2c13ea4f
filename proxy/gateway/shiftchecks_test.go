package gateway

import (
	"maps"
	"strings"

	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"portico/proxy/icws/icwssim"
	"portico/proxy/upstream/rig"
	"portico/translate"
)

// checkLog holds every write to what the agent asked for: work of a mapped channel is never offered
// by us where it was not.
func (s *shift) checkLog() {
	for _, entry := range s.sim.Log() {
		if entry.Number <= s.checked || entry.Was == nil || entry.Status >= 400 {
			continue
		}
		s.checked = entry.Number
		for _, d := range s.desks {
			if strings.EqualFold(d.name, entry.Target) {
				s.checkWrite(d, entry)
			}
		}
	}
}

func (s *shift) checkWrite(d *desk, entry icwssim.Entry) {
	acd, became := entry.Was.IsACD, false
	statusID, isStatus := entry.Written["statusId"].(string)
	if isStatus {
		acd = s.acd[statusID]
		became = acd && !entry.Was.IsACD
	}
	activated, _ := entry.Written["activations"].(map[string]bool)
	after := maps.Clone(entry.Was.Activations)
	maps.Copy(after, activated)
	for channel, mapped := range workgroups {
		for _, workgroup := range mapped {
			if acd && after[workgroup] && (became || activated[workgroup]) && !d.asked[channel] {
				s.t.Errorf("%s is offered work of %s, which was not asked for, by %v (was %+v)", d.name, workgroup, entry.Written, *entry.Was)
			}
		}
	}
}

// checkDesk holds what an agent is shown to what the site holds.
func (s *shift) checkDesk(d *desk) {
	s.sessions(d.name, 1)
	s.shows(d.agent)
	held, err := s.sim.State(d.name)
	if err != nil {
		s.t.Fatal(err)
	}
	p := d.agent.icws()
	p.mu.Lock()
	defer p.mu.Unlock()
	state := p.state
	if !strings.EqualFold(state.Status.StatusID, held.StatusID) || !maps.Equal(state.Activations, held.Activations) {
		s.t.Errorf("%s: we hold %q and %v; the site holds %q and %v", d.name, state.Status.StatusID, state.Activations, held.StatusID, held.Activations)
	}
	if !p.currentLocked() || state.Link != translate.Connected || len(state.Pending) != 0 || len(p.writes.byID) != 0 {
		s.t.Errorf("%s: after quiet: current %v, lost %v, link %v, %d pending, %d writes", d.name, p.currentLocked(), p.link.lost, state.Link, len(state.Pending), len(p.writes.byID))
	}
}

func (s *shift) checkTotals() {
	n, err := testutil.GatherAndCount(s.reg, "portico_catalogue_repeat_fetches_total")
	if err != nil || n == 0 {
		s.t.Errorf("%d series of repeated fetches, %v", n, err)
	}
	if got := s.number("portico_catalogue_repeat_fetches_total"); got != 0 {
		s.t.Errorf("%v catalogues were fetched again; want none", got)
	}
}

// number returns the sum of a counter's series.
func (w *world) number(name string) float64 {
	sum := 0.0
	rig.Series(w.t, w.reg, func(family string) bool { return family == name }, func(_ string, series *dto.Metric) {
		sum += series.GetCounter().GetValue()
	})
	return sum
}
