package plainhttp

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// AppendStatus appends the first line of an answer.
func AppendStatus(text []byte, status int) []byte {
	text = strconv.AppendInt(append(text, "HTTP/1.1 "...), int64(status), 10)
	reason := http.StatusText(status)
	if reason == "" { // then net/http says it twice
		text = append(text, " status code"...)
		reason = strconv.Itoa(status)
	}
	return append(append(append(text, ' '), reason...), LineEnd...)
}

// AppendField appends a field, which is to be plain.
func AppendField(text []byte, name, value string) []byte {
	text = append(append(text, name...), ": "...)
	return append(append(text, value...), LineEnd...)
}

// AppendLength appends the Content-Length of a body of n bytes.
func AppendLength(text []byte, n int64) []byte {
	text = strconv.AppendInt(append(text, "Content-Length: "...), n, 10)
	return append(text, LineEnd...)
}

// AppendDate appends the Date of an answer that is made now.
func AppendDate(text []byte, now time.Time) []byte { return AppendField(text, "Date", date(now)) }

// usualFields are more than messages have.
const usualFields = 16

// AppendHeader appends all fields of a header as net/http writes them (FuzzHeader), sorted by their names. It
// reports false, and appends nothing, if one is not plain.
func AppendHeader(text []byte, header http.Header) ([]byte, bool) {
	var room [usualFields]string
	names := room[:0]
	for name, values := range header {
		if !isPlain(name, values) {
			return text, false
		}
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range header[name] {
			text = AppendField(text, name, value)
		}
	}
	return text, true
}

// isPlain reports whether net/http writes a field as it is.
func isPlain(name string, values []string) bool {
	for _, value := range values {
		if !Only(value, Value) || value != "" && (value[0] == ' ' || value[len(value)-1] == ' ') {
			return false
		}
	}
	return name != "" && Only(name, Name)
}
