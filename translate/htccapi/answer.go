package htccapi

// A Verdict opens an answer. In dialect StatusCode every answer has StatusCode, 0 being success,
// and a failure StatusMessage too; in dialect Status operations and failures have Status, and what
// is read has none of it.
//
// Source: GWS 8.5.2, ReturnValues; vendor reference, Set agent states across all channels.
type Verdict struct {
	Status           string `json:"status,omitempty"`
	ErrorDescription string `json:"errorDescription,omitempty"`
	StatusCode       *int   `json:"statusCode,omitempty"`
	StatusMessage    string `json:"statusMessage,omitempty"`
}

// Values of Verdict.Status.
const (
	StatusOK    = "ok"
	StatusError = "error"
)

// OperationAnswer answers a POST. The lists come with StatusPartial only.
type OperationAnswer struct {
	Verdict
	Succeeded []ChannelResult `json:"succeeded,omitempty"`
	Failed    []ChannelResult `json:"failed,omitempty"`
}

// Answers to GET. A list or object may have been cut down to some fields, so that its type is
// open.
type (
	// UserAnswer is GET /me in dialect StatusCode; dialect Status has the Me alone.
	UserAnswer struct {
		Verdict
		User any `json:"user"`
	}

	// URIsAnswer is a collection in dialect StatusCode whose objects were not asked for.
	URIsAnswer struct {
		Verdict
		URIs []string `json:"uris"`
	}

	// DevicesAnswer is GET /me/devices.
	DevicesAnswer struct {
		Verdict
		Devices any `json:"devices"`
	}

	// DeviceAnswer is GET /me/devices/{id}.
	DeviceAnswer struct {
		Verdict
		Device any `json:"device"`
	}

	// ChannelsAnswer is GET /me/channels.
	ChannelsAnswer struct {
		Verdict
		Channels any `json:"channels"`
	}

	// ChannelAnswer is GET /me/channels/{channel}.
	ChannelAnswer struct {
		Verdict
		Channel any `json:"channel"`
	}

	// SettingsAnswer is GET /settings/agent-states. Key names the member that tells the entries
	// apart; dialect Status does not have it.
	SettingsAnswer struct {
		Verdict
		Key      string `json:"key,omitempty"`
		Settings any    `json:"settings"`
	}

	// VersionAnswer is GET /diagnostics/version.
	VersionAnswer struct {
		Verdict
		Version string `json:"version"`
	}
)

// KeyID is SettingsAnswer.Key of the agent states.
const KeyID = "id"
