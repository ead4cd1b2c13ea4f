package htccapi

// States a channel or device can be in, as userState.state says it. SettingLogout is how the
// agent-state settings spell LoggedOut.
const (
	StateReady     = "Ready"
	StateNotReady  = "NotReady"
	StateLoggedOut = "LoggedOut"
	SettingLogout  = "Logout"
)

// WorkModes that refine NotReady.
const (
	WorkModeAfterCallWork = "AfterCallWork"
	WorkModeAuxWork       = "AuxWork"
)

// UserState is the state of one channel or device.
type UserState struct {
	ID          string `json:"id,omitempty"`
	DisplayName string `json:"displayName,omitempty"`
	State       string `json:"state"`
	WorkMode    string `json:"workMode,omitempty"`
	Reason      string `json:"reason,omitempty"`
}

// AgentStateSetting is one entry of /settings/agent-states: a state that an agent may choose by
// posting its operationName.
type AgentStateSetting struct {
	ID            string    `json:"id"`
	OperationName Operation `json:"operationName"`
	DisplayName   string    `json:"displayName"`
	State         string    `json:"state"`
	WorkMode      string    `json:"workMode,omitempty"`
	Reason        string    `json:"reason,omitempty"`
}

// UserState returns what a channel shows while it is in the state.
func (s AgentStateSetting) UserState() UserState {
	state := s.State
	if state == SettingLogout {
		state = StateLoggedOut
	}
	return UserState{ID: s.ID, DisplayName: s.DisplayName, State: state, WorkMode: s.WorkMode, Reason: s.Reason}
}

// The system states. Their ids are the same on every server; the lower-case f in Offline's is
// the vendor's.
//
// Source: GWS 8.5.2, agent-state pages; captured traffic of GWS 8.5.202.96 (Offline).
var (
	SettingReady = AgentStateSetting{ID: "9430250E-0A1B-421F-B372-F29E69366DED",
		OperationName: Ready, DisplayName: "Ready", State: StateReady}
	SettingNotReady = AgentStateSetting{ID: "900D55CC-2BB0-431F-8BF9-D3525B383BE6",
		OperationName: NotReady, DisplayName: "Not Ready", State: StateNotReady}
	SettingAfterCallWork = AgentStateSetting{ID: "D3663509-3D82-4DD3-A82E-2EA8EFA02AEF",
		OperationName: AfterCallWork, DisplayName: "AfterCallWork", State: StateNotReady, WorkMode: WorkModeAfterCallWork}
	SettingAuxWork = AgentStateSetting{ID: "2B36138D-C564-4562-A8CB-3C32D564F296",
		OperationName: AuxWork, DisplayName: "AuxWork", State: StateNotReady, WorkMode: WorkModeAuxWork}
	SettingOffline = AgentStateSetting{ID: "0F7F5003-EF26-4D13-A6Ef-D0C7EC819BEB",
		OperationName: Offline, DisplayName: "Offline", State: SettingLogout}
)
