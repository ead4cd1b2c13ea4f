package icws

import (
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"portico/translate/icwsapi"
)

// A Conn is what ICWS calls a connection: one logged-in session at one host. It is a plain value
// that may be stored and used by another process; the session is bound neither to a TCP connection
// nor to us. Its JSON holds the secrets, since a store needs them (and seals them); every other way
// of printing it does not.
type Conn struct {
	Base      string `json:"base"` // URL before /icws
	SessionID string `json:"sessionId"`
	CSRFToken string `json:"csrfToken"`
	Cookie    string `json:"cookie"` // the whole Cookie header

	UserID      string                    `json:"userId"` // as the server spells it: for paths
	DisplayName string                    `json:"displayName"`
	Language    string                    `json:"language"` // the one asked for
	Features    []icwsapi.Feature         `json:"features,omitempty"`
	Version     *icwsapi.Version          `json:"version,omitempty"`
	Station     *icwsapi.EffectiveStation `json:"station,omitempty"` // nil if none, or not told
	Opened      time.Time                 `json:"opened"`
}

// IsSame reports whether both are of one log-in. The session's id does not say so alone: a server that was started anew may
// count from its first one again.
//
// Source: the ids of several clients' recordings, which count up (a guess, of a restart); ICWS, Connecting: a session is
// its id, cookie and token.
func (c Conn) IsSame(other Conn) bool {
	return c.SessionID == other.SessionID && c.Base == other.Base && c.CSRFToken == other.CSRFToken
}

// The features that decide something, and the version of messaging that has event streams.
const (
	featureMessaging = "messaging"
	streamsSince     = 2 // Source: ICWS, Releases: 2016 R3
)

// Feature returns the version of a feature, 0 if the server does not have it.
func (c Conn) Feature(id string) int {
	for _, f := range c.Features {
		if f.FeatureID == id {
			return f.Version
		}
	}
	return 0
}

// Streams reports whether the server has event streams.
func (c Conn) Streams() bool { return c.Feature(featureMessaging) >= streamsSince }

// Host returns the host and port of the connection, for the log.
func (c Conn) Host() string {
	base, err := url.Parse(c.Base)
	if err != nil {
		return ""
	}
	return base.Host
}

// String names the agent and the host, never a secret.
func (c Conn) String() string { return fmt.Sprintf("connection of user %q at %s", c.UserID, c.Host()) }

// Format prints String for every verb, since %+v and %#v would print the fields.
func (c Conn) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue is what slog writes of a Conn.
func (c Conn) LogValue() slog.Value { return slog.StringValue(c.String()) }

// url returns the URL of a resource of the session.
func (c Conn) url(path string) string {
	return c.Base + "/icws/" + segment(c.SessionID) + path
}

// segment escapes one segment of a path. User ids may hold anything, so also a name of dots is
// kept from meaning another resource.
func segment(s string) string {
	if s == "." || s == ".." {
		return strings.ReplaceAll(s, ".", "%2E")
	}
	return url.PathEscape(s)
}

// Credentials are what an agent logs in with.
type Credentials struct {
	UserID   string
	Password string
	Language string // such as en-us or de; fixes the language of the session's texts
}

// Format prints the user id for every verb, and never the password.
func (c Credentials) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "credentials of user %q", c.UserID)
}

// LogValue is what slog writes of Credentials.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// MarshalJSON refuses: nothing keeps credentials in JSON.
func (c Credentials) MarshalJSON() ([]byte, error) {
	return nil, fmt.Errorf("icws: %v are not for storing", c)
}
