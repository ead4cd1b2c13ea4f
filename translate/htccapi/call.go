package htccapi

// TopicCalls and TypeCallStateChange are those of voice calls, which agent state knows nothing of;
// whoever subscribes to /v2/me/* hears of them all the same.
const (
	TopicCalls          = "/v2/me/calls"
	TypeCallStateChange = "CallStateChangeMessage"
)

// Call is a voice call under way, without what only its handling needs.
//
// Source: GWS 8.5.2, Calls message type; captured traffic of GWS 8.5.202.96.
type Call struct {
	ID           string      `json:"id"`
	State        string      `json:"state"` // Ringing, Established, Released, ...
	CallUUID     string      `json:"callUuid"`
	ConnID       string      `json:"connId"`
	DeviceURI    string      `json:"deviceUri"`
	ANI          string      `json:"ani"`
	DNIS         string      `json:"dnis"`
	CallType     string      `json:"callType"`
	Capabilities []Operation `json:"capabilities"`
	Duration     string      `json:"duration"` // seconds
	Mute         string      `json:"mute"`
	URI          string      `json:"uri"`
	Path         string      `json:"path"`
}

// CallStateChangeMessage tells of one call.
type CallStateChangeMessage struct {
	MessageType      string `json:"messageType"`
	NotificationType string `json:"notificationType"`
	Call             Call   `json:"call"`
	PhoneNumber      string `json:"phoneNumber"`
}

// CallStatusChange is the notificationType of a call that begins, is answered, or ends.
const CallStatusChange = "StatusChange"
