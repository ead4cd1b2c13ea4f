package htcc

import (
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"time"
)

// A Conn is one agent's log-in at one host: the cookies of its HTTP session and what else proves
// it. It is a plain value that may be stored and used by another process, and that may be compared
// with ==; it is bound neither to a TCP connection nor to us. Its JSON holds the secrets, since a
// store needs them (and seals them); every other way of printing it does not.
//
// A server may change cookies and token with any answer, so whoever calls does it on a Session,
// and stores what its Snapshot says when that has changed.
type Conn struct {
	Base       string `json:"base"`             // URL before /api/v2
	Cookie     string `json:"cookie"`           // the whole Cookie header
	CSRFHeader string `json:"csrfHeader"`       // name of the header that carries the token
	CSRFToken  string `json:"csrfToken"`        // "" if the server uses none
	UserID     string `json:"userId,omitempty"` // 32 hex digits
	UserName   string `json:"userName"`         // the login name

	Opened time.Time `json:"opened"`
}

// Host returns the host and port of the connection, for the log.
func (c Conn) Host() string {
	base, err := url.Parse(c.Base)
	if err != nil {
		return ""
	}
	return base.Host
}

// String names the agent and the host, never a secret.
func (c Conn) String() string {
	return fmt.Sprintf("connection of user %q at %s", c.UserName, c.Host())
}

// Format prints String for every verb, since %+v and %#v would print the fields.
func (c Conn) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue is what slog writes of a Conn.
func (c Conn) LogValue() slog.Value { return slog.StringValue(c.String()) }

// Credentials are what an agent logs in with.
type Credentials struct {
	UserName string
	Password string
}

// Format prints the login name for every verb, and never the password.
func (c Credentials) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "credentials of user %q", c.UserName)
}

// LogValue is what slog writes of Credentials.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// MarshalJSON refuses: nothing keeps credentials in JSON.
func (c Credentials) MarshalJSON() ([]byte, error) {
	return nil, fmt.Errorf("htcc: %v are not for storing", c)
}
