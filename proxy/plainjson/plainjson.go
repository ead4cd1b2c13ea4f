// Package plainjson reads JSON of the kind that programs send all day: objects and lists of texts without escapes,
// booleans and null. Whoever reads with it knows what is to come; anything else is left to encoding/json, which
// reads a change of a status in ten times the time (`go test -bench DecodeMessage ./proxy/icws`).
package plainjson

import "unicode/utf8"

// A Reader reads a text from its beginning. What it has read is worth nothing unless End reports that it was plain
// to the end. One goroutine uses it.
type Reader struct {
	rest  []byte
	other bool // it is not plain
}

// Read returns a Reader of text.
func Read(text []byte) Reader { return Reader{rest: text} }

// End reports whether all of the text was plain, and was read.
func (r *Reader) End() bool {
	r.space()
	return !r.other && len(r.rest) == 0
}

// Leave says that this is not for here.
func (r *Reader) Leave() { r.other = true }

// Object reads an object; member reads the value of each name, which is not to be kept.
func (r *Reader) Object(member func(name []byte)) {
	r.series('{', '}', func() {
		name := r.quoted()
		if !r.next(':') {
			r.other = true
			return
		}
		member(name)
	})
}

// List reads a list; element reads each element.
func (r *Reader) List(element func()) { r.series('[', ']', element) }

func (r *Reader) series(begin, end byte, one func()) {
	if !r.next(begin) {
		r.other = true
		return
	}
	if r.next(end) {
		return
	}
	for !r.other {
		one()
		if r.next(end) {
			return
		}
		if !r.next(',') {
			r.other = true
		}
	}
}

// Text reads a text.
func (r *Reader) Text() string { return string(r.quoted()) }

// Raw reads a text and returns it as it stands there, without its quotes. It is not to be kept.
func (r *Reader) Raw() []byte { return r.quoted() }

func (r *Reader) quoted() []byte {
	if !r.next('"') {
		r.other = true
		return nil
	}
	for i, c := range r.rest {
		switch {
		case c == '"':
			text := r.rest[:i]
			r.rest = r.rest[i+1:]
			r.other = r.other || !utf8.Valid(text)
			return text
		case c == '\\' || c < ' ':
			r.other = true
			return nil
		}
	}
	r.other = true
	return nil
}

// Bool reads true or false.
func (r *Reader) Bool() bool {
	yes := r.word("true")
	if !yes && !r.word("false") {
		r.other = true
	}
	return yes
}

// Null reads null.
func (r *Reader) Null() {
	if !r.word("null") {
		r.other = true
	}
}

// word takes a word if it is next.
func (r *Reader) word(word string) bool {
	r.space()
	if len(r.rest) < len(word) || string(r.rest[:len(word)]) != word {
		return false
	}
	r.rest = r.rest[len(word):]
	return true
}

// next takes a byte if it is next.
func (r *Reader) next(c byte) bool {
	r.space()
	if len(r.rest) == 0 || r.rest[0] != c {
		return false
	}
	r.rest = r.rest[1:]
	return true
}

func (r *Reader) space() {
	for len(r.rest) > 0 && (r.rest[0] == ' ' || r.rest[0] == '\t' || r.rest[0] == '\n' || r.rest[0] == '\r') {
		r.rest = r.rest[1:]
	}
}
