package icwsapi

// The __type of each message that a session's queue can carry and that Portico knows.
const (
	TypeAsyncOperationCompleted  = "urn:inin.com:messaging:asyncOperationCompletedMessage"
	TypeSubscriptionState        = "urn:inin.com:messaging:subscriptionStateMessage"
	TypeUserStatus               = "urn:inin.com:status:userStatusMessage"
	TypeStatusMessages           = "urn:inin.com:status:statusMessagesMessage"
	TypeUserAccess               = "urn:inin.com:status:statusMessagesUserAccessMessage"
	TypeUserActivation           = "urn:inin.com:activations:userActivationMessage"
	TypeConnectionStateChange    = "urn:inin.com:connection:connectionStateChangeMessage"
	TypeEffectiveStationChange   = "urn:inin.com:connection:effectiveStationChangeMessage"
	TypeUserStatusPreviousInfo   = "urn:inin.com:status:userStatusPreviousInfoMessage"
	TypeStationConnectionChanged = "urn:inin.com:connection:stationConnectionStateChangeMessage"
)

// Head is what every message begins with. IsDelta false means: forget what this subscription
// said before, this is all of it.
type Head struct {
	Type    string `json:"__type"`
	IsDelta bool   `json:"isDelta"`
}

// A Message is one of the message types below, or Head alone for a type unknown to Portico.
type Message interface{ MessageType() string }

// MessageType returns the message's __type.
func (h Head) MessageType() string { return h.Type }

// AsyncOperationCompletedMessage ends what a 202 began. Error is null on success.
type AsyncOperationCompletedMessage struct {
	Head
	RequestID string `json:"requestId"`
	Error     *Error `json:"error"`
}

// UserStatusMessage carries the status of some of the users subscribed to.
type UserStatusMessage struct {
	Head
	UserStatusList []UserStatus `json:"userStatusList"`
}

// StatusMessagesMessage says how the catalogue changed; a changed entry comes whole.
type StatusMessagesMessage struct {
	Head
	StatusMessagesAdded   []StatusMessage `json:"statusMessagesAdded,omitempty"`
	StatusMessagesChanged []StatusMessage `json:"statusMessagesChanged,omitempty"`
	StatusMessagesRemoved []string        `json:"statusMessagesRemoved,omitempty"`
}

// UserAccessMessage says how users' lists of accessible statuses changed.
type UserAccessMessage struct {
	Head
	StatusMessagesUserAccessChanges []UserAccessChange `json:"statusMessagesUserAccessChanges"`
}

// UserAccessChange is the change of one user's list.
type UserAccessChange struct {
	UserID                string   `json:"userId"`
	StatusMessagesAdded   []string `json:"statusMessagesAdded,omitempty"`
	StatusMessagesRemoved []string `json:"statusMessagesRemoved,omitempty"`
}

// UserActivationMessage says which of a user's activations changed.
type UserActivationMessage struct {
	Head
	SubscriptionID     string          `json:"subscriptionId"`
	UserID             string          `json:"userId"`
	ActivationsChanged map[string]bool `json:"activationsChanged"`
}

// ConnectionStateChangeMessage tells of the session's own connection; it needs no subscription.
type ConnectionStateChangeMessage struct {
	Head
	PreviousConnectionState int    `json:"previousConnectionState"`
	NewConnectionState      int    `json:"newConnectionState"`
	Reason                  string `json:"reason"`
	ShouldReconnect         *bool  `json:"shouldReconnect,omitempty"`
}

// EffectiveStationChangeMessage tells of the station the user works at; null is none. It comes
// only to sessions whose log-in included effective-station.
type EffectiveStationChangeMessage struct {
	Head
	EffectiveStation *EffectiveStation `json:"effectiveStation"`
}

// SubscriptionStateMessage tells of trouble with a subscription.
type SubscriptionStateMessage struct {
	Head
	State int    `json:"state"` // 0 none, 1 normal, 2 suspended, 3 faulted
	Error *Error `json:"error,omitempty"`
}

// UserStatusSubscription is the body of PUT .../subscriptions/status/user-statuses. A new PUT
// replaces the list.
type UserStatusSubscription struct {
	UserIDs              []string `json:"userIds"`
	UserStatusProperties []string `json:"userStatusProperties,omitempty"`
}

// UserAccessSubscription is the body of PUT .../subscriptions/status/status-messages-user-access.
type UserAccessSubscription struct {
	UserIDs []string `json:"userIds"`
}

// UserActivationSubscription is the body of PUT .../subscriptions/activations/users/{subId}.
// "*" stands for all the user's workgroups.
type UserActivationSubscription struct {
	UserID       string   `json:"userId"`
	WorkgroupIDs []string `json:"workgroupIds"`
}
