package translate

import (
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
	onlyOne    bool // by flags only if a single status qualifies
}

var purposes = map[htccapi.Operation]purpose{
	htccapi.Ready: {
		configured: func(s Statuses) string { return s.Ready },
		stock:      stockReady,
		fits:       func(m icwsapi.StatusMessage) bool { return m.IsACDStatus && !m.IsForwardStatus },
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
		fits:       func(m icwsapi.StatusMessage) bool { return m.IsAfterCallWorkStatus && !m.IsACDStatus },
	},
	htccapi.DoNotDisturbOn: {
		configured: func(s Statuses) string { return s.DoNotDisturb },
		stock:      stockDoNotDisturb,
		fits: func(m icwsapi.StatusMessage) bool {
			return m.IsDoNotDisturbStatus && !m.IsACDStatus && !m.IsAfterCallWorkStatus
		},
		onlyOne: true,
	},
	// AuxWork has no flag in ICWS: only the setting makes it.
	htccapi.AuxWork: {
		configured: func(s Statuses) string { return s.AuxWork },
		fits:       func(icwsapi.StatusMessage) bool { return false },
	},
}

// find returns the status for op among those that are usable.
func (r Rules) find(op htccapi.Operation, in *Catalogue, usable func(icwsapi.StatusMessage) bool) (icwsapi.StatusMessage, bool) {
	p := purposes[op]
	configured, known := in.ByID(p.configured(r.Statuses))
	if known && usable(configured) && suits(op, configured) {
		return configured, true
	}
	var first icwsapi.StatusMessage
	count := 0
	for _, message := range in.Messages() {
		if !usable(message) || !p.fits(message) {
			continue
		}
		if p.stock != "" && fold(message.StatusID) == fold(p.stock) {
			return message, true
		}
		if count == 0 {
			first = message
		}
		count++
	}
	return first, count == 1 || count > 1 && !p.onlyOne
}

// suits reports whether a configured status can serve op at all: a Ready that routes nothing, or
// any other state that work is routed to, would show as something else than was asked.
func suits(op htccapi.Operation, m icwsapi.StatusMessage) bool {
	return m.IsACDStatus == (op == htccapi.Ready)
}
