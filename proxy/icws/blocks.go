package icws

import (
	"bytes"
	"errors"
	"io"
)

var errEventTooLong = errors.New("event too long")

// blocks cuts an event stream after its blank lines, into the text of one event each. Between events
// it holds no more than its small buffer: a scanner over the whole stream keeps as much as its
// longest event took, a list of all status messages, for the life of each agent's session.
//
// Source: WHATWG HTML, 9.2.5: lines end in CR LF, LF or CR.
type blocks struct {
	from  io.Reader
	chunk [256]byte
	rest  []byte // of chunk, not looked at yet
	block []byte
	last  byte
	text  bool // the line under way has text
	begun bool // a block has been returned
}

var byteOrderMark = []byte("\ufeff")

// next returns the next block, which is the caller's. It fails with io.EOF at the end of the stream,
// where a block without its blank line is none.
func (b *blocks) next() ([]byte, error) {
	for {
		for i, c := range b.rest {
			if b.endsBlock(c) {
				block := append(b.block, b.rest[:i+1]...)
				b.block, b.rest = nil, b.rest[i+1:]
				if b.begun && bytes.HasPrefix(block, byteOrderMark) {
					block = append([]byte(":"), block...) // a mark counts at the stream's beginning; here it makes a field nobody knows
				}
				b.begun = true
				return block, nil
			}
		}
		b.block = append(b.block, b.rest...)
		b.rest = nil
		if len(b.block) > maxEvent {
			return nil, errEventTooLong
		}
		n, err := b.from.Read(b.chunk[:])
		b.rest = b.chunk[:n]
		if n == 0 && err != nil {
			return nil, err
		}
	}
}

// endsBlock takes the next byte and reports whether it ends a blank line.
func (b *blocks) endsBlock(c byte) bool {
	after := b.last
	b.last = c
	if c != '\r' && c != '\n' {
		b.text = true
		return false
	}
	if c == '\n' && after == '\r' { // the second half of a line's end
		return false
	}
	blank := !b.text
	b.text = false
	return blank
}
