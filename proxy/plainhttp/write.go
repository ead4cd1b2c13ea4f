package plainhttp

import (
	"net/http"
	"strconv"
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
func AppendDate(text []byte) []byte { return AppendField(text, "Date", date()) }
