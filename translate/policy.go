package translate

import (
	"slices"

	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

// Rules are a site's settings as far as translation depends on them. They do not change while a
// session lives.
type Rules struct {
	Site      string    // name in the settings
	PublicURL string    // what uris start with
	Channels  []Channel // in the order in which /me lists them
	Statuses  Statuses
	// LoggedOutAfterOutage makes the channels of an agent whose upstream session was lost show
	// LoggedOut instead of NotReady.
	LoggedOutAfterOutage bool
	// RestoreActivations puts activations back at EndContactCenterSession to what they were at
	// log-in.
	RestoreActivations bool
}

// Channel is a media channel of a site and the workgroups that its work comes from. Without
// workgroups the channel follows the agent's status.
type Channel struct {
	Name       htccapi.MediaChannel
	Workgroups []string
}

// takes reports whether the channel's work comes from the workgroup, among others.
func (c Channel) takes(workgroup string) bool {
	return slices.ContainsFunc(c.Workgroups, func(mine string) bool { return same(mine, workgroup) })
}

// Statuses names the status for each purpose, by statusId; empty means: found by flags.
type Statuses struct {
	Ready, NotReady, DoNotDisturb, AfterCallWork, AuxWork string
	AtStart                                               string // set by a session's first StartContactCenterSession
	AtEnd                                                 string // set by EndContactCenterSession on an ACD status; Keep leaves it
}

// Keep as Statuses.AtEnd leaves the status as it is.
const Keep = "keep"

// find returns the status for a purpose among those that are usable: that of the policy, else the first
// whose flags fit.
func (r Rules) find(p purpose, in *Catalogue, usable func(icwsapi.StatusMessage) bool) (icwsapi.StatusMessage, bool) {
	for _, message := range r.policy(p, in) {
		if usable(message) {
			return message, true
		}
	}
	fitting := r.fitting(p, in)
	if p.onlyOne && len(fitting) > 1 {
		return icwsapi.StatusMessage{}, false
	}
	for _, message := range fitting {
		if usable(message) {
			return message, true
		}
	}
	return icwsapi.StatusMessage{}, false
}

// policy returns the statuses that are a purpose's whoever the agent is: the one in the settings, then
// the stock one.
func (r Rules) policy(p purpose, in *Catalogue) []icwsapi.StatusMessage {
	var statuses []icwsapi.StatusMessage
	configured, known := in.ByID(p.configured(r.Statuses))
	if known && p.suits(configured) {
		statuses = append(statuses, configured)
	}
	stock, known := in.ByID(p.stock)
	if known && p.fits(stock) && !r.reserved(p, stock.StatusID) {
		statuses = append(statuses, stock)
	}
	return statuses
}

// fitting returns the statuses that qualify for a purpose by their flags, in server order, without those
// that the settings give another purpose.
func (r Rules) fitting(p purpose, in *Catalogue) []icwsapi.StatusMessage {
	var statuses []icwsapi.StatusMessage
	for _, message := range in.Messages() {
		if p.fits(message) && !r.reserved(p, message.StatusID) {
			statuses = append(statuses, message)
		}
	}
	return statuses
}

// reserved reports whether the settings name the status for another purpose.
func (r Rules) reserved(p purpose, statusID string) bool {
	for _, other := range purposes {
		if other.op != p.op && same(other.configured(r.Statuses), statusID) {
			return true
		}
	}
	return false
}
