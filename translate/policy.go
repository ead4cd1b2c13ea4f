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

// Names of the stock statuses that come before the flags.
//
// Source: Interaction Scripter, user status messages standard with CIC.
const (
	stockReady        = "Available"
	stockNotReady     = "Available, No ACD"
	stockDoNotDisturb = "Do Not disturb"
)

// purpose is one thing a status is looked up for: which setting names it, which stock status is
// preferred, and which flags qualify others.
type purpose struct {
	configured func(Statuses) string
	stock      string
	fits       func(icwsapi.StatusMessage) bool
	onlyOne    bool // by flags only if a single status of the site qualifies
}

var purposes = map[htccapi.Operation]purpose{
	htccapi.Ready: {
		configured: func(s Statuses) string { return s.Ready },
		stock:      stockReady,
		fits: func(m icwsapi.StatusMessage) bool {
			return m.IsACDStatus && !m.IsAfterCallWorkStatus && !m.IsForwardStatus
		},
	},
	htccapi.NotReady: {
		configured: func(s Statuses) string { return s.NotReady },
		stock:      stockNotReady,
		fits: func(m icwsapi.StatusMessage) bool {
			return !m.IsACDStatus && !m.IsDoNotDisturbStatus && !m.IsAfterCallWorkStatus && !m.IsForwardStatus
		},
	},
	htccapi.AfterCallWork: {
		configured: func(s Statuses) string { return s.AfterCallWork },
		fits: func(m icwsapi.StatusMessage) bool {
			return m.IsAfterCallWorkStatus && !m.IsACDStatus && !m.IsForwardStatus
		},
	},
	htccapi.DoNotDisturbOn: {
		configured: func(s Statuses) string { return s.DoNotDisturb },
		stock:      stockDoNotDisturb,
		fits: func(m icwsapi.StatusMessage) bool {
			return m.IsDoNotDisturbStatus && m.IsSelectableStatus && !m.IsACDStatus && !m.IsAfterCallWorkStatus && !m.IsForwardStatus
		},
		onlyOne: true,
	},
	// AuxWork has no flag in ICWS: only the setting makes it.
	htccapi.AuxWork: {
		configured: func(s Statuses) string { return s.AuxWork },
		fits:       func(icwsapi.StatusMessage) bool { return false },
	},
}

// find returns the status for op among those that are usable: that of the policy, else the first
// whose flags fit.
func (r Rules) find(op htccapi.Operation, in *Catalogue, usable func(icwsapi.StatusMessage) bool) (icwsapi.StatusMessage, bool) {
	for _, message := range r.policy(op, in) {
		if usable(message) {
			return message, true
		}
	}
	fitting := r.fitting(op, in)
	if purposes[op].onlyOne && len(fitting) > 1 {
		return icwsapi.StatusMessage{}, false
	}
	for _, message := range fitting {
		if usable(message) {
			return message, true
		}
	}
	return icwsapi.StatusMessage{}, false
}

// policy returns the statuses that are op's whoever the agent is: the one in the settings, then
// the stock one.
func (r Rules) policy(op htccapi.Operation, in *Catalogue) []icwsapi.StatusMessage {
	p := purposes[op]
	var statuses []icwsapi.StatusMessage
	configured, known := in.ByID(p.configured(r.Statuses))
	if known && suits(op, configured) {
		statuses = append(statuses, configured)
	}
	stock, known := in.ByID(p.stock)
	if known && p.fits(stock) && !r.reserved(op, stock.StatusID) {
		statuses = append(statuses, stock)
	}
	return statuses
}

// fitting returns the statuses that qualify for op by their flags, in server order, without those
// that the settings give another purpose.
func (r Rules) fitting(op htccapi.Operation, in *Catalogue) []icwsapi.StatusMessage {
	var statuses []icwsapi.StatusMessage
	for _, message := range in.Messages() {
		if purposes[op].fits(message) && !r.reserved(op, message.StatusID) {
			statuses = append(statuses, message)
		}
	}
	return statuses
}

// reserved reports whether the settings name the status for something else than op.
func (r Rules) reserved(op htccapi.Operation, statusID string) bool {
	for other, p := range purposes {
		if other != op && same(p.configured(r.Statuses), statusID) {
			return true
		}
	}
	return false
}

// suits reports whether a configured status can serve op at all: a Ready that routes nothing, or
// any other state that work is routed to, would show as something else than was asked; and one
// that needs a forward number cannot be set without being asked for.
func suits(op htccapi.Operation, m icwsapi.StatusMessage) bool {
	return m.IsACDStatus == (op == htccapi.Ready) && !m.IsForwardStatus
}
