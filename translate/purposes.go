package translate

import (
	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

// Names of the stock statuses that come before the flags.
//
// Source: Interaction Scripter, user status messages standard with CIC.
const (
	stockReady        = "Available"
	stockNotReady     = "Available, No ACD"
	stockDoNotDisturb = "Do Not disturb"
)

// purpose is an operation that a status stands for: what is shown of the status, which setting names it, which stock
// status is preferred, and which flags qualify others.
type purpose struct {
	op         htccapi.Operation
	shown      htccapi.AgentStateSetting // nothing for do-not-disturb, which hides the state that there is
	configured func(Statuses) string
	stock      string
	fits       func(icwsapi.StatusMessage) bool
	onlyOne    bool // by flags only if a single status of the site qualifies
}

// purposes are all there are. A status that serves several is the first's; system states are listed in the same order,
// which is that of a real server's list.
var purposes = []purpose{
	{
		op:         htccapi.DoNotDisturbOn,
		configured: func(s Statuses) string { return s.DoNotDisturb },
		stock:      stockDoNotDisturb,
		fits: func(m icwsapi.StatusMessage) bool {
			return m.IsDoNotDisturbStatus && m.IsSelectableStatus && !m.IsACDStatus && !m.IsAfterCallWorkStatus && !m.IsForwardStatus
		},
		onlyOne: true,
	},
	{
		op:         htccapi.NotReady,
		shown:      htccapi.SettingNotReady,
		configured: func(s Statuses) string { return s.NotReady },
		stock:      stockNotReady,
		fits: func(m icwsapi.StatusMessage) bool {
			return !m.IsACDStatus && !m.IsDoNotDisturbStatus && !m.IsAfterCallWorkStatus && !m.IsForwardStatus
		},
	},
	// Offline needs no status, so that none stands for it.
	{
		op:         htccapi.Offline,
		shown:      htccapi.SettingOffline,
		configured: func(Statuses) string { return "" },
		fits:       none,
	},
	{
		op:         htccapi.AfterCallWork,
		shown:      htccapi.SettingAfterCallWork,
		configured: func(s Statuses) string { return s.AfterCallWork },
		fits: func(m icwsapi.StatusMessage) bool {
			return m.IsAfterCallWorkStatus && !m.IsACDStatus && !m.IsForwardStatus
		},
	},
	{
		op:         htccapi.Ready,
		shown:      htccapi.SettingReady,
		configured: func(s Statuses) string { return s.Ready },
		stock:      stockReady,
		fits: func(m icwsapi.StatusMessage) bool {
			return m.IsACDStatus && !m.IsAfterCallWorkStatus && !m.IsForwardStatus
		},
	},
	// AuxWork has no flag in ICWS: only the setting makes it.
	{
		op:         htccapi.AuxWork,
		shown:      htccapi.SettingAuxWork,
		configured: func(s Statuses) string { return s.AuxWork },
		fits:       none,
	},
}

func none(icwsapi.StatusMessage) bool { return false }

// isState reports whether channels show the operation as a state of their own.
func (p purpose) isState() bool { return p.op != htccapi.DoNotDisturbOn }

// suits reports whether a configured status can serve a purpose at all: a Ready that routes nothing, or
// any other state that work is routed to, would show as something else than was asked; and one
// that needs a forward number cannot be set without being asked for.
func (p purpose) suits(m icwsapi.StatusMessage) bool {
	return m.IsACDStatus == (p.op == htccapi.Ready) && !m.IsForwardStatus
}
