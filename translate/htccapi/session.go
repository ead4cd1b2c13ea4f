package htccapi

// SessionRequest is StartContactCenterSession with all it may carry.
//
// Source: HTCC 8.5.0 and GWS 8.5.2, StartContactCenterSession.
type SessionRequest struct {
	OperationName Operation      `json:"operationName"`
	Channels      []MediaChannel `json:"channels"`
	Place         string         `json:"place,omitempty"`
	DevicePath    string         `json:"devicePath,omitempty"`
	LoginCode     string         `json:"loginCode,omitempty"`
	Queue         string         `json:"queue,omitempty"`
	MobileSession any            `json:"mobileSession,omitempty"`
}

// ChannelMultimedia stands for all channels but voice where StartContactCenterSession reports what
// succeeded and what failed.
const ChannelMultimedia MediaChannel = "multimedia"

// StateLoggedIn is what a device shows, without id or displayName, between its log-in and the
// state that the switch gives it.
const StateLoggedIn = "LoggedIn"

// VoiceRequest is an operation on /me/channels/voice with what it may carry; WorkMode is spelled
// workmode here and workMode in states.
//
// Source: GWS 8.5.2, AgentStateReady and AgentStateAfterCallWork.
type VoiceRequest struct {
	OperationName Operation `json:"operationName"`
	WorkMode      string    `json:"workmode,omitempty"`   // of Ready
	WrapUpTime    string    `json:"wrapUpTime,omitempty"` // of AfterCallWork, a number
}

// Values of VoiceRequest.WorkMode.
const (
	WorkModeManualIn = "ManualIn"
	WorkModeAutoIn   = "AutoIn"
)
