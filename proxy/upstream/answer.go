package upstream

import (
	"bytes"
	"net/http"

	"portico/proxy/plainhttp"
)

// An answer is one of the kind that a site gives to nearly every change: short, and whole in what is read at once.
type answer struct {
	status int
	lines  int // where in it the headers begin
	head   int // how long all before the body is, in bytes
	body   int // and that; -1: it is not told

	pragma, caching bool // there are headers of that name
}

// parseAnswer reads the head of an answer; false of one that did not come whole, or leaves any doubt. What it takes
// net/http takes, and reads in the same way (FuzzAnswer): a status that has a body, plain fields, one length, and
// nothing that says how the body or the connection goes on.
//
// http.ReadResponse takes 12 allocations and several times as long: it is ready for bodies of any kind, and makes a
// map of headers of which one or none is looked at.
func parseAnswer(got []byte) (answer, bool) {
	status, lines, ok := statusOf(got)
	if !ok {
		return answer{}, false
	}
	a := answer{status: status, lines: len(got) - len(lines), body: -1}
	in := plainhttp.ReadFields(lines)
	for in.Next() {
		if !a.field(&in) {
			return answer{}, false
		}
	}
	body, ok := in.End()
	a.head = len(got) - len(body)
	return a, ok && a.body >= 0 && (a.caching || !a.pragma) // of which alone net/http makes the other
}

// statusOf reads the first line of an answer, and returns what follows.
func statusOf(got []byte) (status int, lines []byte, ok bool) {
	const version, digits = "HTTP/1.1 ", 3
	line, lines, _ := bytes.Cut(got, []byte(plainhttp.LineEnd))
	text, ok := bytes.CutPrefix(line, []byte(version))
	if !ok || len(text) <= digits || text[digits] != ' ' || !plainhttp.Only(text, plainhttp.Value) {
		return 0, nil, false
	}
	status, ok = plainhttp.Length(text[:digits])
	return status, lines, ok && status >= 200 && status < 600 && status != http.StatusNoContent && status != http.StatusNotModified
}

// field reads a field; false if it leaves a doubt about where the answer ends.
func (a *answer) field(in *plainhttp.Fields) (ok bool) {
	switch string(in.Known()) {
	case "content-length":
		again := a.body >= 0
		a.body, ok = plainhttp.Length(in.Value)
		return ok && !again
	case "connection":
		return bytes.EqualFold(in.Value, []byte("keep-alive"))
	case "transfer-encoding", "trailer", "upgrade":
		return false
	case "pragma":
		a.pragma = true
	case "cache-control":
		a.caching = true
	}
	return true
}

// A Reply is one answer, read to its end. Any status, redirects included, is an answer.
type Reply struct {
	Status int
	Body   []byte

	header http.Header
	lines  []byte // of an answer that parseAnswer has read, in place of header
}

// Header returns the headers. Whoever needs one of them asks Get.
func (r Reply) Header() http.Header {
	if r.lines == nil {
		return r.header
	}
	all := http.Header{}
	for in := plainhttp.ReadFields(r.lines); in.Next(); {
		all.Add(string(in.Name), string(in.Value))
	}
	return all
}

// Get returns the first value of a header, "" if there is none.
func (r Reply) Get(name string) string {
	if r.lines == nil {
		return r.header.Get(name)
	}
	for in := plainhttp.ReadFields(r.lines); in.Next(); {
		if in.Is(name) {
			return string(in.Value)
		}
	}
	return ""
}
