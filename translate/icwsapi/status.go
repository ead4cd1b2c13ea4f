package icwsapi

import "encoding/json"

// StatusMessage is one entry of a server's catalogue: a status that a user may have. Every
// property is required. StatusID compares without regard to case.
//
// Source: ICWS reference, /icws/{sessionId}/status/status-messages.
type StatusMessage struct {
	StatusID              string `json:"statusId"`
	MessageText           string `json:"messageText"` // in the language of the session
	IconURI               string `json:"iconUri"`     // relative to the server's root
	GroupTag              string `json:"groupTag"`
	CanHaveDate           bool   `json:"canHaveDate"`
	CanHaveTime           bool   `json:"canHaveTime"`
	IsDoNotDisturbStatus  bool   `json:"isDoNotDisturbStatus"`
	IsSelectableStatus    bool   `json:"isSelectableStatus"`
	IsPersistentStatus    bool   `json:"isPersistentStatus"`
	IsForwardStatus       bool   `json:"isForwardStatus"`
	IsAfterCallWorkStatus bool   `json:"isAfterCallWorkStatus"`
	IsACDStatus           bool   `json:"isAcdStatus"`
	IsAllowFollowUpStatus bool   `json:"isAllowFollowUpStatus"`
	SystemID              string `json:"systemId"`
}

// StatusMessages is the body of GET .../status/status-messages.
type StatusMessages struct {
	StatusMessageList []StatusMessage `json:"statusMessageList"`
}

// UserAccess is the body of GET .../status/status-messages-user-access/{userId}: the ids that the
// user may be given.
type UserAccess struct {
	UserID         string   `json:"userId"`
	StatusMessages []string `json:"statusMessages,omitempty"`
}

// UserStatus is what a user's status is, or in a delta what changed of it: there, a nil pointer
// means unchanged.
type UserStatus struct {
	UserID         string    `json:"userId"`
	StatusID       string    `json:"statusId"`
	Notes          *string   `json:"notes,omitempty"`
	ForwardNumber  *string   `json:"forwardNumber,omitempty"`
	Until          OptUntil  `json:"until,omitzero"`
	StatusChanged  *Time     `json:"statusChanged,omitempty"`
	OnPhone        *bool     `json:"onPhone,omitempty"`
	OnPhoneChanged *Time     `json:"onPhoneChanged,omitempty"`
	LoggedIn       *bool     `json:"loggedIn,omitempty"`
	Stations       *[]string `json:"stations,omitempty"`
	ICServers      *[]string `json:"icServers,omitempty"`
	PresenceServer *string   `json:"presenceServer,omitempty"`
}

// Until is when a status is to end.
type Until struct {
	UntilDateTime Time `json:"untilDateTime"`
	HasDate       bool `json:"hasDate"`
	HasTime       bool `json:"hasTime"`
}

// OptUntil tells an until that is absent (the zero value) from one that is null (Present, no
// Value): null says that the status has no end.
type OptUntil struct {
	Present bool
	Value   *Until
}

// IsZero reports that the property is absent.
func (o OptUntil) IsZero() bool { return !o.Present }

// MarshalJSON writes the value, or null.
func (o OptUntil) MarshalJSON() ([]byte, error) { return json.Marshal(o.Value) }

// UnmarshalJSON is only called for a property that is there.
func (o *OptUntil) UnmarshalJSON(b []byte) error {
	o.Present = true
	if string(b) == "null" { // as it mostly is
		o.Value = nil
		return nil
	}
	return json.Unmarshal(b, &o.Value)
}

// UserStatusUpdate is the body of PUT .../status/user-statuses/{userId}.
type UserStatusUpdate struct {
	StatusID      string `json:"statusId"`
	Notes         string `json:"notes,omitempty"`
	ForwardNumber string `json:"forwardNumber,omitempty"`
	Until         *Until `json:"until,omitempty"`
}

// Accepted answers that PUT (202): the change is under way, and the completion message will carry
// RequestID.
type Accepted struct {
	RequestID string `json:"requestId"`
}

// UserActivationSet says of each workgroup whether the user takes its interactions.
type UserActivationSet struct {
	UserID      string          `json:"userId"`
	Activations map[string]bool `json:"activations"`
}

// UserActivations is the body of PUT .../activations/users/{userId}: only those listed change.
type UserActivations struct {
	Activations map[string]bool `json:"activations"`
}

// UserActivationSets is the body of GET .../activations/users?select=.
type UserActivationSets struct {
	UserActivationSetList []UserActivationSet `json:"userActivationSetList"`
}
