package translate

import (
	"maps"
	"slices"

	"portico/translate/htccapi"
)

// Asked is what an agent asked for and no site knows, for another process that goes on with the session.
type Asked struct {
	Started   []htccapi.MediaChannel          // as AgentState.Started
	LoggedOut []htccapi.MediaChannel          // channels that were not asked for
	Labels    map[htccapi.MediaChannel]string // of not-ready states, as Wish.Label
	Hidden    *Stance                         // as AgentState.Memory
	Ready     map[htccapi.MediaChannel]bool   `json:",omitempty"` // with Hidden: which channels are wanted Ready or not, where an operation said so
}

// Asked returns what was asked for. Which channels are to be Ready is among it in do-not-disturb alone: else the
// site shows that, and what was wanted before may no longer be.
func (s AgentState) Asked() Asked {
	asked := Asked{Started: s.Started, Hidden: s.Memory}
	if s.Hides != nil {
		asked.Hidden, asked.Ready = s.Hides.Hidden, s.Hides.Ready
	}
	for channel, wish := range s.Wishes {
		if s.DND() {
			put(&asked.Ready, channel, wish.Ready)
		}
		if wish.LoggedOut {
			asked.LoggedOut = append(asked.LoggedOut, channel)
		}
		if wish.Label != "" {
			if asked.Labels == nil {
				asked.Labels = map[htccapi.MediaChannel]string{}
			}
			asked.Labels[channel] = wish.Label
		}
	}
	slices.Sort(asked.LoggedOut)
	return asked
}

// AllTold returns the state in which what is pending counts as confirmed: another process told what it came to.
func (s AgentState) AllTold() AgentState {
	s.Pending = slices.Clone(s.Pending)
	for i := range s.Pending {
		s.Pending[i].Told = true
	}
	return s
}

// Recalled returns the state with what was asked for elsewhere. It makes no channel Ready but what
// do-not-disturb hides, and hides nothing before the site shows that.
func (s AgentState) Recalled(asked Asked, d *Directory) AgentState {
	wishes := map[htccapi.MediaChannel]Wish{}
	for channel, wish := range s.Wishes {
		wish.LoggedOut, wish.Label = false, ""
		wishes[channel] = wish
	}
	for channel, label := range asked.Labels {
		wish := wishes[channel]
		wish.Label = label
		wishes[channel] = wish
	}
	for _, channel := range asked.LoggedOut {
		wishes[channel] = Wish{LoggedOut: true}
	}
	maps.DeleteFunc(wishes, func(_ htccapi.MediaChannel, wish Wish) bool { return wish == Wish{} })
	s.Wishes, s.Started = wishes, asked.Started
	s.Hides = nil
	switch {
	case asked.Hidden == nil:
	case s.DND():
		return s.hiding(asked, d)
	default:
		s.Hides = &asked
	}
	return s
}

// hiding returns the state in which do-not-disturb hides what another process has it hide. Who is not to be Ready any more
// the site does not show then, so the wishes of here end by what is hidden, as they do by what is shown.
func (s AgentState) hiding(asked Asked, d *Directory) AgentState {
	s.Memory, s.Hides = asked.Hidden, nil
	id := asked.Hidden.Choice.StatusID
	wishes := map[htccapi.MediaChannel]Wish{}
	for channel, wish := range s.Wishes {
		if d.endsWish(id) || d.IsACD(id) && !asked.Hidden.Ready[channel] {
			wish.Ready = false
		}
		wishes[channel] = wish
	}
	for channel, ready := range asked.Ready {
		wish := wishes[channel]
		wish.Ready = ready
		wishes[channel] = wish
	}
	maps.DeleteFunc(wishes, func(_ htccapi.MediaChannel, wish Wish) bool { return wish == Wish{} })
	s.Wishes = wishes
	return s
}

// Sure returns the state as it is where the site was read since Recalled: without do-not-disturb nothing is hidden.
func (s AgentState) Sure() AgentState {
	s.Hides = nil
	return s
}
