package icwsapi

// Error ids that decide something. The field is an open list: others are passed to the log.
const (
	ErrorAuthenticationFailure   = "error.request.connection.authenticationFailure"
	ErrorNotAcceptingConnections = "error.server.notAcceptingConnections"
	ErrorUnavailable             = "error.server.unavailable"
	ErrorMethodNotAllowed        = "error.request.accessDenied.httpMethodNotAllowed"
	ErrorInvalidProperty         = "error.request.invalidRepresentation.invalidProperty"
	ErrorStationNotFound         = "-2147221496" // a number in quotes: so it is on the wire
	ErrorNoStation               = "error.request.noStation"
	ErrorUnsupported             = "error.request.unsupported"
	ErrorCookieInvalid           = "error.request.accessDenied.cookie.invalid"
)

// Types of error bodies whose shape differs from the plain one.
const (
	TypeMissingProperty = "urn:inin.com:common:missingPropertyError"
	TypeInvalidProperty = "urn:inin.com:common:invalidPropertyError"
)

// Error is the body of every refusal. ErrorCode is on the wire though not in the contract.
// PropertyName belongs to the two property errors, AlternateHostList to a 503 at log-in.
type Error struct {
	Type              string   `json:"__type,omitempty"`
	ErrorID           string   `json:"errorId,omitempty"`
	ErrorCode         int      `json:"errorCode,omitempty"`
	Message           string   `json:"message"`
	PropertyName      string   `json:"propertyName,omitempty"`
	AlternateHostList []string `json:"alternateHostList,omitempty"`
}
