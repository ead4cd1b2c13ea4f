package plainhttp

import "bytes"

// LineEnd ends each line of a header, and the header itself.
const LineEnd = "\r\n"

var lineEnd = []byte(LineEnd)

// Fields reads the header of a message, one field after the other. What it has read is worth nothing unless End
// reports that the header was plain to its end. One goroutine uses it.
type Fields struct {
	Name, Value []byte // of the field that Next has read, as they came, without the spaces around the value

	rest  []byte
	other bool // it is not plain
	lower [longestKnown]byte
}

// longestKnown is how long the name of a field is at most that anybody here looks for, in bytes.
const longestKnown = 32

// ReadFields returns Fields of what follows the first line of a message.
func ReadFields(text []byte) Fields { return Fields{rest: text} }

// Next reads the next field; false if there is none that is plain.
func (f *Fields) Next() bool {
	if f.other || bytes.HasPrefix(f.rest, lineEnd) {
		return false
	}
	end := bytes.Index(f.rest, lineEnd)
	colon := bytes.IndexByte(f.rest[:max(end, 0)], ':')
	if colon <= 0 {
		f.other = true
		return false
	}
	f.Name, f.Value = f.rest[:colon], bytes.Trim(f.rest[colon+1:end], " ")
	f.rest = f.rest[end+len(lineEnd):]
	f.other = !Only(f.Name, Name) || !Only(f.Value, Value)
	return !f.other
}

// Known returns the field's name in lower case, to compare it with several; nil if it is longer than any of them. It
// is overwritten by the next.
func (f *Fields) Known() []byte {
	if len(f.Name) > len(f.lower) {
		return nil
	}
	for i, c := range f.Name {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		f.lower[i] = c
	}
	return f.lower[:len(f.Name)]
}

// Is reports whether the field has that name, whatever its case.
func (f *Fields) Is(name string) bool {
	return len(f.Name) == len(name) && bytes.EqualFold(f.Name, []byte(name))
}

// End returns what follows the header; false if that is not plain, or did not come whole.
func (f *Fields) End() (body []byte, plain bool) {
	body, ended := bytes.CutPrefix(f.rest, lineEnd)
	return body, ended && !f.other
}

// Length reads the value of a Content-Length. Of bodies that are longer than anything that is read at once it
// reports false.
func Length(value []byte) (n int, plain bool) {
	const longest = 6 // digits
	if len(value) == 0 || len(value) > longest {
		return 0, false
	}
	for _, c := range value {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, true
}
