package htccapi

// An Operation is an operationName: one of those below, or that of a custom agent state.
type Operation string

// Operations that every agent knows.
const (
	Ready                     Operation = "Ready"
	NotReady                  Operation = "NotReady"
	AfterCallWork             Operation = "AfterCallWork"
	AuxWork                   Operation = "AuxWork"
	Offline                   Operation = "Offline"
	DoNotDisturbOn            Operation = "DoNotDisturbOn"
	DoNotDisturbOff           Operation = "DoNotDisturbOff"
	StartContactCenterSession Operation = "StartContactCenterSession"
	EndContactCenterSession   Operation = "EndContactCenterSession"
	ForwardCallsOn            Operation = "ForwardCallsOn"
	ForwardCallsOff           Operation = "ForwardCallsOff"
)

// Reserved lists the names that no custom state may have.
var Reserved = []Operation{Ready, NotReady, AfterCallWork, AuxWork, Offline, DoNotDisturbOn, DoNotDisturbOff,
	StartContactCenterSession, EndContactCenterSession, ForwardCallsOn, ForwardCallsOff}

// A MediaChannel is a kind of work: voice, chat, email, ...
type MediaChannel string

// Voice is the one channel that has a device.
const Voice MediaChannel = "voice"

// OperationRequest is the body of POST /me, /me/channels/{channel} and /me/devices/{id}. Notes,
// ForwardNumber and Until (RFC 3339) are Portico's own; HTCC sites get other members untouched.
type OperationRequest struct {
	OperationName Operation      `json:"operationName"`
	Channels      []MediaChannel `json:"channels,omitempty"` // of StartContactCenterSession
	Notes         string         `json:"notes,omitempty"`
	ForwardNumber string         `json:"forwardNumber,omitempty"`
	Until         string         `json:"until,omitempty"`
}

// ChannelResult is what became of an operation on one channel.
type ChannelResult struct {
	StatusCode    int          `json:"statusCode"`
	StatusMessage string       `json:"statusMessage,omitempty"`
	Channel       MediaChannel `json:"channel"`
}
