package icwsapi

// The __type of messages about queues and sessions.
const (
	TypeQueueContents = "urn:inin.com:queues:queueContentsMessage"
	TypeSessions      = "urn:inin.com:session:sessionsMessage"
)

// Interaction is an interaction in a queue, with the attributes subscribed to.
type Interaction struct {
	InteractionID string            `json:"interactionId"`
	Attributes    map[string]string `json:"attributes"`
}

// QueueContentsMessage says which interactions came to a queue, changed or left.
type QueueContentsMessage struct {
	Head
	SubscriptionID      string        `json:"subscriptionId"`
	InteractionsAdded   []Interaction `json:"interactionsAdded"`
	InteractionsChanged []Interaction `json:"interactionsChanged"`
	InteractionsRemoved []string      `json:"interactionsRemoved"`
}

// SessionInfo is one log-in as other users' sessions see it.
type SessionInfo struct {
	ApplicationName string    `json:"applicationName"`
	MachineName     string    `json:"machineName"`
	StationID       StationID `json:"stationId"` // id STATIONLESS if there is none
	UserID          string    `json:"userId"`
	Reason          int       `json:"reason"` // 0 connection change, 1 configuration change
}

// SessionsMessage says which sessions began and ended.
type SessionsMessage struct {
	Head
	SessionsAdded   []SessionInfo `json:"sessionsAdded,omitempty"`
	SessionsRemoved []SessionInfo `json:"sessionsRemoved,omitempty"`
}
