package htccapi

// TopicCalls and TypeCallStateChange are those of voice calls, which agent state knows nothing of;
// whoever subscribes to /v2/me/* hears of them all the same.
const (
	TopicCalls          = "/v2/me/calls"
	TypeCallStateChange = "CallStateChangeMessage"
)

// Call is a voice call under way. Its lists and objects are there also when they are empty: clients
// look into them without asking.
//
// Source: GWS 8.5.2, Calls message type; captured traffic of GWS 8.5.202.96.
type Call struct {
	ID                    string            `json:"id"`
	State                 string            `json:"state"` // Ringing, Established, Released, ...
	CallUUID              string            `json:"callUuid"`
	ConnID                string            `json:"connId"`
	DeviceURI             string            `json:"deviceUri"`
	Participants          []Participant     `json:"participants"`
	ANI                   string            `json:"ani"`
	DNIS                  string            `json:"dnis"`
	CallType              string            `json:"callType"`
	Capabilities          []Operation       `json:"capabilities"`
	UserData              map[string]string `json:"userData"`
	Duration              string            `json:"duration"` // seconds
	Mute                  string            `json:"mute"`
	SupervisorListeningIn bool              `json:"supervisorListeningIn"`
	MonitoredUserMuted    bool              `json:"monitoredUserMuted"`
	Monitoring            bool              `json:"monitoring"`
	URI                   string            `json:"uri"`
	Path                  string            `json:"path"` // without the /me of URI
}

// Participant is another party of a call.
//
// Source: GWS 8.5.2, SwitchToListenIn.
type Participant struct {
	E164Number           string `json:"e164Number"`
	FormattedPhoneNumber string `json:"formattedPhoneNumber"`
	PhoneNumber          string `json:"phoneNumber"`
	Digits               string `json:"digits"`
}

// CallStateChangeMessage tells of one call.
type CallStateChangeMessage struct {
	MessageType      string         `json:"messageType"`
	NotificationType string         `json:"notificationType"`
	Call             Call           `json:"call"`
	PhoneNumber      string         `json:"phoneNumber"`
	Extensions       map[string]any `json:"extensions"`
}

// CallStatusChange is the notificationType of a call that begins, is answered, or ends.
const CallStatusChange = "StatusChange"
