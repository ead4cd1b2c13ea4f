package config

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
)

// hidden is all that anybody prints of a secret.
const hidden = "<secret>"

// A Secret is text that prints as "<secret>" whatever prints it. The zero value is no secret.
//
// The text lies behind a pointer because fmt reads the fields of a struct it may not call methods
// on: a plain string would print when a Secret stands in somebody's unexported field.
type Secret struct{ text *string }

// NewSecret hides text.
func NewSecret(text string) Secret { return Secret{&text} }

// Reveal returns the text, "" for the zero value.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// Equal reports whether both hide the same text. It is for tests: it takes no constant time.
func (s Secret) Equal(other Secret) bool { return s.Reveal() == other.Reveal() }

// Format implements fmt.Formatter for every verb.
func (Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, hidden) }

// String implements fmt.Stringer.
func (Secret) String() string { return hidden }

// MarshalText serves encoding/json, encoding/xml and yaml.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// maxSecret is the longest secret read from a file, in bytes.
const maxSecret = 64 << 10

// byteOrderMark stands before what some editors, and PowerShell, write in UTF-8. It is no part of a secret.
const byteOrderMark = "\xef\xbb\xbf"

// readSecret reads a secret from a file, without the line break at its end and a byte-order mark before it. It reports whether
// every user of the machine may read the file too. Errors do not hold what was read.
func readSecret(path string) (Secret, bool, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Secret{}, false, err
	}
	if !info.Mode().IsRegular() { // a pipe or device would block, or never end
		return Secret{}, false, fmt.Errorf("%s is not a regular file", path)
	}
	if info.Size() > maxSecret {
		return Secret{}, false, fmt.Errorf("%s is longer than %s", path, Bytes(maxSecret))
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return Secret{}, false, err
	}
	text := strings.TrimRight(strings.TrimPrefix(string(data), byteOrderMark), "\r\n")
	if text == "" {
		return Secret{}, false, errors.New(path + " is empty")
	}
	return NewSecret(text), info.Mode().Perm()&0o004 != 0, nil
}
