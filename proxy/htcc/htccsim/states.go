package htccsim

import (
	"fmt"
	"slices"
	"strings"

	"portico/translate/htccapi"
)

// StockAgentStates returns the agent states of the zero Server: those of the system, and a custom
// one with a reason.
//
// Source: captured traffic of GWS 8.5.202.96; HTCC 8.5.0, QueryAgentState (the custom one).
func StockAgentStates() []htccapi.AgentStateSetting {
	return []htccapi.AgentStateSetting{
		htccapi.SettingNotReady, htccapi.SettingOffline, htccapi.SettingAfterCallWork, htccapi.SettingReady, htccapi.SettingAuxWork,
		{ID: "6E0B5A52-9B5F-4A0B-9C7D-0B1D2C3E4F50", OperationName: "OutToLunch", DisplayName: "Out to Lunch",
			State: htccapi.StateNotReady, WorkMode: htccapi.WorkModeAuxWork, Reason: "Lunch"},
	}
}

// setting returns the agent state of that operation, or nil. Names are compared as they are: an
// operation in another spelling is unknown.
func (s *Server) setting(operation htccapi.Operation) *htccapi.AgentStateSetting {
	i := slices.IndexFunc(s.AgentStates, func(setting htccapi.AgentStateSetting) bool { return setting.OperationName == operation })
	if i < 0 {
		return nil
	}
	return &s.AgentStates[i]
}

// refusal is why an operation cannot be; the zero one says that it can.
type refusal struct {
	code    int
	message string
}

// admits is the transition table: whether a device or channel in state from may change to the state
// to. From LoggedOut there is no way to Ready, and none at all without a session; to be logged out
// twice is no mistake.
//
// Source: vendor reference, Channels API: reverting from Offline, NotReady and LoggedOut are the
// only valid states. Guess: the code, and that a session is needed.
func admits(from htccapi.UserState, hasSession bool, to htccapi.AgentStateSetting) refusal {
	isOut := from.State == htccapi.StateLoggedOut
	switch {
	case to.State == htccapi.SettingLogout || to.State == htccapi.StateLoggedOut:
		return refusal{}
	case !hasSession:
		return refusal{codeInvalid, "The agent is not logged in"}
	case isOut && to.State == htccapi.StateReady:
		return refusal{codeInvalid, "Ready is not valid while logged out: NotReady comes first"}
	}
	return refusal{}
}

// unknownOperation says which operations there are.
func (s *Server) unknownOperation(name htccapi.Operation, more ...htccapi.Operation) refusal {
	if name == "" {
		return refusal{codeMissing, "Required parameter 'operationName' is missing"}
	}
	var known []string
	for _, setting := range s.AgentStates {
		known = append(known, string(setting.OperationName))
	}
	for _, operation := range more {
		known = append(known, string(operation))
	}
	return refusal{codeInvalid, fmt.Sprintf("Operation '%s' is not valid: expected one of %s", name, strings.Join(known, ", "))}
}

// notRegistered is what the switch says of a device that it does not know.
//
// Source: captured traffic of GWS 8.5.202.96, HTTP 500.
func (d *device) notRegistered() refusal {
	return refusal{codeInternal, "Device '" + d.number + "' is not registered."}
}

// mediaLost is what is said while the interaction server is lost.
//
// Source: captured traffic of GWS 8.5.202.96.
var mediaLost = refusal{codeInternal, "Interaction server connection is not opened"}

// workMode refines the state to for one operation on voice: Ready may say how calls come in.
//
// Source: GWS 8.5.2, AgentStateReady and AgentStateAfterCallWork. Guess: Ready shows its workMode.
func workMode(asked operation, to htccapi.UserState) (htccapi.UserState, refusal) {
	switch asked.workMode {
	case "":
	case htccapi.WorkModeManualIn, htccapi.WorkModeAutoIn:
		if to.State != htccapi.StateReady {
			return to, refusal{codeInvalid, "Parameter 'workmode' is valid with Ready only"}
		}
		to.WorkMode = asked.workMode
	default:
		return to, refusal{codeInvalid, "Parameter 'workmode' must be ManualIn or AutoIn"}
	}
	if asked.wrapUpTime != "" && strings.Trim(asked.wrapUpTime, "0123456789") != "" {
		return to, refusal{codeInvalid, "Parameter 'wrapUpTime' must be a number"}
	}
	return to, refusal{}
}
