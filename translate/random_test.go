package translate

import (
	"math/rand/v2"
	"testing"
)

// agrees compares what /me shows with what the server holds.
func (s *shift) agrees() {
	if len(s.s.Pending) > 0 || len(s.s.Early) > 0 {
		s.Errorf("%d changes and %d completions are left over; %v", len(s.s.Pending), len(s.s.Early), s.steps)
	}
	differ(s, s.active, s.s.Activations)
	if s.status.StatusID != s.s.Status.StatusID || s.s.DND() != s.d.IsDND(s.status.StatusID) {
		s.Errorf("holds %q, do-not-disturb %t; the server %q; %v", s.s.Status.StatusID, s.s.DND(), s.status.StatusID, s.steps)
	}
	s.leftAlone()
	if s.s.DND() {
		return
	}
	offered, ready := s.offered(), s.shownReady()
	for _, channel := range s.Shown(s.s) {
		switch {
		case s.s.Wishes[channel.Name].LoggedOut:
			if ready[channel.Name] {
				s.Errorf("%s is LoggedOut and shows Ready; %v", channel.Name, s.steps)
			}
		case len(channel.Workgroups) == 0:
			if ready[channel.Name] != s.d.IsACD(s.status.StatusID) {
				s.Errorf("%s shows Ready %t in %q; %v", channel.Name, ready[channel.Name], s.status.StatusID, s.steps)
			}
		case ready[channel.Name] != offered[channel.Name]:
			s.Errorf("%s shows Ready %t and is offered work %t; %v", channel.Name, ready[channel.Name], offered[channel.Name], s.steps)
		}
	}
}

// leftAlone holds that a channel the agent has left is offered nothing, whatever status somebody else may set, unless
// somebody else activated it.
func (s *shift) leftAlone() {
	for workgroup, active := range s.active {
		s.given[workgroup] = s.given[workgroup] && active
	}
	for _, channel := range s.Shown(s.s) {
		for _, workgroup := range channel.Workgroups {
			if s.want.out[channel.Name] && s.active[workgroup] && !s.given[workgroup] {
				s.Errorf("%s is LoggedOut and may get work of %s; %v", channel.Name, workgroup, s.steps)
			}
		}
	}
}

func TestRandomShifts(t *testing.T) {
	for seed := range uint64(1000) {
		random := rand.New(rand.NewPCG(seed, 1))
		s := newShift(t, random.IntN)
		for range 25 {
			s.step()
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
	}
}

func FuzzShifts(f *testing.F) {
	f.Add([]byte{2, 0, 0, 0, 0, 0, 0, 4, 0, 1, 4, 1, 2, 3})
	f.Add([]byte{3, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89})
	f.Fuzz(func(t *testing.T, drawn []byte) {
		draw := func(n int) int {
			if len(drawn) == 0 {
				return 0
			}
			next := int(drawn[0]) % n
			drawn = drawn[1:]
			return next
		}
		s := newShift(t, draw)
		for range 100 {
			if len(drawn) == 0 || t.Failed() {
				return
			}
			s.step()
		}
	})
}
