package translate

import (
	"maps"
	"slices"

	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

// Link says how an agent's upstream session is.
type Link int

// The links. A site that cannot be reached takes its channels out of view; a part that ended (the
// session is gone and Portico may not or cannot log in again) shows LoggedOut.
const (
	Connected Link = iota
	Unreachable
	Ended
)

// An AgentState is what Portico knows of one agent at one ICWS site: what ICWS said last, and what
// the agent asked for that ICWS cannot hold. It is a value: every function returns a changed copy,
// and no map or slice in it is changed in place.
type AgentState struct {
	UserID      string // as the site spells it
	Device      string // id of the agent's
	Link        Link
	Status      icwsapi.UserStatus     // last heard, all properties merged
	Said        Change                 // what the last message told of Status, which a completion or a read may have changed since
	Activations map[string]bool        // by workgroup as the site spells it; the keys are the memberships
	Elsewhere   []htccapi.MediaChannel // channels of the site that another site owns for this agent
	Shared      bool                   // the agent works on another site too, whatever channels are there
	Station     string                 // display name of the station the agent works at

	Wishes  map[htccapi.MediaChannel]Wish
	Memory  *Stance                // while do-not-disturb is on: what it hides
	Hides   *Asked                 // the same, as another process knows it, while it is not known here that it is on
	Started []htccapi.MediaChannel // channels of the last StartContactCenterSession; nil before it
	Pending []Pending              // status changes that are accepted and not completed, oldest first
	Early   []Completion           // completions read before the answer that names their request
}

// A Change is one of the status, as the site tells of it. Without a time it cannot be told from another to the
// same status.
type Change struct {
	StatusID string
	At       icwsapi.Time // to the second
}

func changeTo(status icwsapi.UserStatus) Change {
	change := Change{StatusID: status.StatusID}
	if status.StatusChanged != nil {
		change.At = *status.StatusChanged
	}
	return change
}

// repeats reports whether a message tells of the change that the one before it told of. It may have been on its way
// since before what a completion or a read said meanwhile.
func (c Change) repeats(before Change) bool {
	return same(c.StatusID, before.StatusID) && !c.At.IsZero() && c.At.Equal(before.At.Time)
}

// A Wish is what the agent asked for on one channel.
type Wish struct {
	Ready     bool   // wanted Ready, also while after-call work or the system holds the agent back
	Label     string // statusId of the not-ready state shown while another channel is Ready; "" is plain
	LoggedOut bool   // offline, or not asked for
}

// A Choice is a status and what goes with it.
type Choice struct {
	StatusID      string
	Notes         string
	ForwardNumber string
	Until         *icwsapi.Until
}

// A Stance is what an agent shows: a status and, where it is an ACD one, the channels that are
// Ready in it. Asked are those of them that an operation named, so that all their workgroups are
// to be activated and not only one.
type Stance struct {
	Choice Choice
	Ready  map[htccapi.MediaChannel]bool
	Asked  map[htccapi.MediaChannel]bool
}

// Pending is a status change under way. Until a message shows that it took place, what the agent
// asked for lies over what the site last said.
type Pending struct {
	RequestID string
	Choice    Choice
	Seen      bool // the site has shown the wanted status, or was in it: what it says from now on counts
	Told      bool // it has been confirmed
	Replaced  bool // a later change has taken place
	Doubted   bool // something else was heard of, which may have come before it or after
	Before    Kept // what to go back to if it fails
	After     Kept // what is asked for with it, and since
}

// Kept is the part of a state that only Portico knows, and the status it went with.
type Kept struct {
	Status  icwsapi.UserStatus // of that time
	Wishes  map[htccapi.MediaChannel]Wish
	Memory  *Stance
	Started []htccapi.MediaChannel
}

// Completion is the end of a request: Error is nil on success.
type Completion struct {
	RequestID string
	Error     *icwsapi.Error
}

// DND reports whether do-not-disturb is on.
func (s AgentState) DND() bool { return s.Memory != nil }

// kept returns what to go back to if a change of the state fails.
func (s AgentState) kept() Kept {
	kept := Kept{Status: s.Status, Wishes: s.Wishes, Memory: s.Memory, Started: s.Started}
	if s.unseen() {
		kept.Status = s.choice().over(s.Status)
	}
	return kept
}

// with returns the state with what only Portico knows of another.
func (s AgentState) with(k Kept) AgentState {
	s.Wishes, s.Memory, s.Started = k.Wishes, k.Memory, k.Started
	return s
}

// unseen reports whether a wanted status lies over the one last heard.
func (s AgentState) unseen() bool {
	return len(s.Pending) > 0 && !s.Pending[len(s.Pending)-1].Seen
}

// choice returns the status the agent is in, or will be in once what is pending is done.
func (s AgentState) choice() Choice {
	if s.unseen() {
		return s.Pending[len(s.Pending)-1].Choice
	}
	return heard(s.Status)
}

func heard(status icwsapi.UserStatus) Choice {
	choice := Choice{StatusID: status.StatusID, Until: status.Until.Value}
	if status.Notes != nil {
		choice.Notes = *status.Notes
	}
	if status.ForwardNumber != nil {
		choice.ForwardNumber = *status.ForwardNumber
	}
	return choice
}

// Shown returns the channels of the site that the agent has: those this site owns for them, and,
// where a channel has workgroups, that the agent belongs to one of.
func (r Rules) Shown(s AgentState) []Channel {
	shown := make([]Channel, 0, len(r.Channels))
	for _, channel := range r.Channels {
		if s.has(channel) {
			shown = append(shown, channel)
		}
	}
	return shown
}

// has reports whether the agent has the channel, as Shown says.
func (s AgentState) has(channel Channel) bool {
	if slices.Contains(s.Elsewhere, channel.Name) {
		return false
	}
	if len(channel.Workgroups) == 0 {
		return true
	}
	for workgroup := range s.Activations {
		if channel.takes(workgroup) {
			return true
		}
	}
	return false
}

// active reports whether the channel gets work when the status is an ACD one.
func (s AgentState) active(channel Channel) bool {
	if len(channel.Workgroups) == 0 {
		return true
	}
	for workgroup, active := range s.Activations {
		if active && channel.takes(workgroup) {
			return true
		}
	}
	return false
}

// counts reports whether operations on all channels cover the channel.
func (s AgentState) counts(channel Channel) bool {
	return !slices.Contains(s.Elsewhere, channel.Name) && !s.Wishes[channel.Name].LoggedOut
}

// stance returns what the agent shows now; while do-not-disturb is on, what it hides.
func (r Rules) stance(s AgentState, d *Directory) Stance {
	if s.Memory != nil {
		return *s.Memory
	}
	now := Stance{Choice: s.choice()}
	if !d.IsACD(now.Choice.StatusID) {
		return now
	}
	for _, channel := range r.Channels {
		if s.has(channel) && s.counts(channel) && s.active(channel) {
			put(&now.Ready, channel.Name, true)
		}
	}
	return now
}

// put puts a value into a map, which is made with the first: most sets of a plan stay empty.
func put[K comparable, V any](into *map[K]V, key K, value V) {
	if *into == nil {
		*into = map[K]V{}
	}
	(*into)[key] = value
}

// WithActivations returns the state after some activations were set.
func (s AgentState) WithActivations(set map[string]bool) AgentState {
	s.Activations = maps.Clone(s.Activations)
	if s.Activations == nil {
		s.Activations = map[string]bool{}
	}
	for workgroup, active := range set {
		known := workgroup
		for name := range s.Activations {
			if same(name, workgroup) {
				known = name
			}
		}
		s.Activations[known] = active
	}
	return s
}

// isWishing reports whether some channel is wanted Ready or has a label.
func (s AgentState) isWishing() bool {
	for _, wish := range s.Wishes {
		if wish.Ready || wish.Label != "" {
			return true
		}
	}
	return false
}

// withoutWishes returns the state in which no channel is wanted Ready and none has a label.
func (s AgentState) withoutWishes() AgentState {
	left := map[htccapi.MediaChannel]Wish{}
	for channel, wish := range s.Wishes {
		left[channel] = Wish{LoggedOut: wish.LoggedOut}
	}
	s.Wishes = left
	return s
}
