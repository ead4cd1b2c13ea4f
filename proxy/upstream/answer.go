package upstream

import (
	"bytes"
	"iter"
	"net/http"
	"strconv"
)

// An answer is one of the kind that a site gives to nearly every change: short, and whole in what is read at once.
type answer struct {
	status int
	head   int // its length, in bytes
	body   int // and that of the body
}

var (
	answerBegins = []byte("HTTP/1.1 ")
	lineEnd      = []byte("\r\n")
	headEnd      = []byte("\r\n\r\n")
)

// parseAnswer reads the head of an answer; false of one that did not come whole, or leaves any doubt. What it takes
// net/http takes, and reads in the same way (FuzzAnswer): a status that has a body, names of letters, digits and
// signs that are in use, values of visible ASCII, one length, and nothing that says how the body or the connection
// goes on.
//
// http.ReadResponse takes 12 allocations and several times as long: it is ready for bodies of any kind, and makes a
// map of headers of which one or none is looked at.
func parseAnswer(got []byte) (answer, bool) {
	end := bytes.Index(got, headEnd)
	if end < 0 || !bytes.HasPrefix(got, answerBegins) {
		return answer{}, false
	}
	a := answer{head: end + len(headEnd), body: -1}
	var ok, pragma, caching bool
	a.status, ok = statusOf(got[len(answerBegins):])
	for name, value := range headersOf(got[:a.head]) {
		if len(name) == 0 || spanOf(name, inName) != len(name) || value == nil || spanOf(value, inValue) != len(value) {
			return answer{}, false
		}
		switch {
		case is(name, "Content-Length"):
			ok = ok && a.body < 0 && len(value) > 0 && len(value) < 10 && len(bytes.Trim(value, digits)) == 0
			a.body, _ = strconv.Atoi(string(value))
		case is(name, "Connection"):
			ok = ok && is(value, "keep-alive")
		case is(name, "Transfer-Encoding"), is(name, "Trailer"), is(name, "Upgrade"):
			ok = false
		case is(name, "Pragma"):
			pragma = true
		case is(name, "Cache-Control"):
			caching = true
		}
	}
	return a, ok && a.body >= 0 && (caching || !pragma) // of which alone net/http makes the other
}

const digits = "0123456789"

// statusOf reads a status line after its version.
func statusOf(text []byte) (int, bool) {
	line, _, _ := bytes.Cut(text, lineEnd)
	if len(line) < 4 || line[3] != ' ' || spanOf(line, inValue) != len(line) || len(bytes.Trim(line[:3], digits)) > 0 {
		return 0, false
	}
	status, _ := strconv.Atoi(string(line[:3]))
	return status, status >= 200 && status < 600 && status != http.StatusNoContent && status != http.StatusNotModified
}

// is compares without regard to case.
func is(text []byte, name string) bool {
	return len(text) == len(name) && bytes.EqualFold(text, []byte(name))
}

// headersOf returns name and value of each header of a head, as they came; no name of a line that is none.
func headersOf(head []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		_, rest, _ := bytes.Cut(head, lineEnd)
		for len(rest) > len(lineEnd) {
			var line []byte
			line, rest, _ = bytes.Cut(rest, lineEnd)
			name, value, ok := bytes.Cut(line, []byte(":"))
			if !ok {
				name = nil
			}
			if !yield(name, bytes.Trim(value, " ")) {
				return
			}
		}
	}
}

// A Reply is one answer, read to its end. Any status, redirects included, is an answer.
type Reply struct {
	Status int
	Body   []byte

	header http.Header
	head   []byte // of an answer that parseAnswer has read, in place of header
}

// Header returns the headers. Whoever needs one of them asks Get.
func (r Reply) Header() http.Header {
	if r.head == nil {
		return r.header
	}
	all := http.Header{}
	for name, value := range headersOf(r.head) {
		all.Add(string(name), string(value))
	}
	return all
}

// Get returns the first value of a header, "" if there is none.
func (r Reply) Get(name string) string {
	if r.head == nil {
		return r.header.Get(name)
	}
	for one, value := range headersOf(r.head) {
		if is(one, name) {
			return string(value)
		}
	}
	return ""
}
