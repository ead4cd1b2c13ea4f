package upstream

import (
	"bytes"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
)

// An answer is one of the kind that a site gives to nearly every change: short, and whole in what is read at once.
type answer struct {
	status int
	header http.Header
	head   int // its length, in bytes
	body   int // and that of the body
}

const (
	answerBegins = "HTTP/1.1 "
	lineEnd      = "\r\n"
	headEnd      = lineEnd + lineEnd
)

// parseAnswer reads the head of an answer; false of one that did not come whole, or leaves any doubt. What it takes
// net/http takes, and reads in the same way (FuzzAnswer): a status that has a body, names of letters, digits and
// signs that are in use, values of visible ASCII, one length, and nothing that says how the body or the connection
// goes on.
//
// http.ReadResponse takes 12 allocations and three times as long: it is ready for bodies of any kind.
func parseAnswer(got []byte) (answer, bool) {
	end := bytes.Index(got, []byte(headEnd))
	if end < 0 || !bytes.HasPrefix(got, []byte(answerBegins)) {
		return answer{}, false
	}
	first, rest, _ := strings.Cut(string(got[:end+len(lineEnd)]), lineEnd)
	status, ok := statusOf(first[len(answerBegins):])
	if !ok {
		return answer{}, false
	}
	lines := strings.Count(rest, lineEnd)
	a := answer{status: status, header: make(http.Header, lines), head: end + len(headEnd), body: -1}
	values := make([]string, 0, lines)
	for range lines {
		var line string
		line, rest, _ = strings.Cut(rest, lineEnd)
		name, value, ok := strings.Cut(line, ":")
		value = strings.Trim(value, " ")
		if !ok || name == "" || spanOf(name, inName) != len(name) || spanOf(value, inValue) != len(value) {
			return answer{}, false
		}
		values = append(values, value)
		if !a.take(canonical(name), values[len(values)-1:]) {
			return answer{}, false
		}
	}
	pragma := a.header["Pragma"] != nil && a.header["Cache-Control"] == nil // of which net/http makes one
	return a, a.body >= 0 && !pragma
}

// statusOf reads a status line after its version.
func statusOf(text string) (int, bool) {
	if len(text) < 4 || text[3] != ' ' || spanOf(text, inValue) != len(text) || strings.Trim(text[:3], "0123456789") != "" {
		return 0, false
	}
	status, _ := strconv.Atoi(text[:3])
	return status, status >= 200 && status < 600 && status != http.StatusNoContent && status != http.StatusNotModified
}

// take takes a header, of one value; false if it leaves a doubt.
func (a *answer) take(name string, value []string) bool {
	switch name {
	case "Content-Length":
		if a.body >= 0 || len(value[0]) > 9 || value[0] == "" || strings.Trim(value[0], "0123456789") != "" {
			return false
		}
		a.body, _ = strconv.Atoi(value[0])
	case "Connection":
		if !strings.EqualFold(value[0], "keep-alive") {
			return false
		}
	case "Transfer-Encoding", "Trailer", "Upgrade":
		return false
	}
	if a.header[name] != nil {
		value = append(a.header[name], value...)
	}
	a.header[name] = slices.Clip(value)
	return true
}

// canonical returns the name of a header as net/http has it, which is how most come.
func canonical(name string) string {
	first := true
	for i := range len(name) {
		c := name[i]
		if first && c >= 'a' && c <= 'z' || !first && c >= 'A' && c <= 'Z' {
			return textproto.CanonicalMIMEHeaderKey(name)
		}
		first = c == '-'
	}
	return name
}
