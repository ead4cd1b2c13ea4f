package icwsapi

import "encoding/json"

// ConfigurationID is a reference to an object of the configuration.
type ConfigurationID struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
	URI         string `json:"uri"`
}

// ConfiguredUser is an entry of GET .../configuration/users; StatusText comes if select names it.
type ConfiguredUser struct {
	ConfigurationID ConfigurationID `json:"configurationId"`
	StatusText      *string         `json:"statusText,omitempty"`
}

// ConfiguredUsers is the body of GET .../configuration/users.
type ConfiguredUsers struct {
	Items []ConfiguredUser `json:"items"`
}

// ConfiguredStatusMessage is an entry of GET .../configuration/status-messages: what administrators
// see of a StatusMessage, by other names. Of all but the id, those come that select names.
type ConfiguredStatusMessage struct {
	ConfigurationID  ConfigurationID   `json:"configurationId"`
	AllowACDCalls    bool              `json:"allowAcdCalls"`
	AllowFollowUp    bool              `json:"allowFollowUp"`
	Group            string            `json:"group"`
	HasDate          bool              `json:"hasDate"`
	HasTime          bool              `json:"hasTime"`
	IsAfterCallWork  bool              `json:"isAfterCallWork"`
	IsDoNotDisturb   bool              `json:"isDoNotDisturb"`
	IsForward        bool              `json:"isForward"`
	IsPersistent     bool              `json:"isPersistent"`
	IsUserSelectable bool              `json:"isUserSelectable"`
	MessageText      map[string]string `json:"messageText"` // by language id. Guess: the shape
}

// ConfiguredItems is a list of the configuration whose entries have the properties asked for alone.
type ConfiguredItems struct {
	Items []json.RawMessage `json:"items"`
}
