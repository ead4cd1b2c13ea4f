package icwsapi

// The __type of the log-ins without a password.
const (
	TypeAuthToken         = "urn:inin.com:connection:authTokenConnectionRequestSettings"
	TypeSingleSignOnToken = "urn:inin.com:connection:singleSignOnTokenConnectionRequestSettings"
)

// AuthTokenRequest is the body of POST .../connection/unique-auth-token; the seed is a GUID.
type AuthTokenRequest struct {
	AuthTokenSeed string `json:"authTokenSeed"`
}

// AuthToken answers it. A token serves one log-in within 7 seconds.
//
// Source: ICWS reference, /icws/{sessionId}/connection/unique-auth-token.
type AuthToken struct {
	AuthToken string `json:"authToken"`
}

// AuthTokenConnectionRequestSettings is the body of a log-in that clones a session.
type AuthTokenConnectionRequestSettings struct {
	Type                    string `json:"__type"`
	ApplicationName         string `json:"applicationName"`
	AuthTokenSeed           string `json:"authTokenSeed"`
	AuthToken               string `json:"authToken"`
	AuthTokenSourceSession  string `json:"authTokenSourceSession"`
	DisconnectSourceSession bool   `json:"disconnectSourceSession,omitempty"`
}
