package icws

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"sync"
)

var (
	errEventTooLong = errors.New("event too long")
	errQuiet        = errors.New("nothing has come")
)

// blocks cuts an event stream after its blank lines, into the text of one event each. Between events
// it holds no buffer: a scanner over the whole stream keeps as much as its longest event took, a list of
// all status messages, for the life of each agent's session.
//
// Source: WHATWG HTML, 9.2.5: lines end in CR LF, LF or CR.
type blocks struct {
	from  io.Reader
	quiet func() bool // nothing is there to be read; nil: from is to wait for it

	chunk *[256]byte // nil while nothing is read
	more  []byte     // of chunk, not looked at yet
	block []byte     // what came of the one under way, or the last one returned, if it is in several pieces
	lent  *[]byte    // what block is in; nil if there is none
	given bool       // block is the caller's
	last  byte
	text  bool // the line under way has text
	begun bool // a block has been returned
}

// byteOrderMark counts at the stream's beginning. Elsewhere it makes a field that nobody knows.
var byteOrderMark = []byte("\ufeff")

// next returns the next block, which is the caller's until the next call. It fails with errQuiet when there is
// none yet, and with io.EOF at the end of the stream, where a block without its blank line is none.
func (b *blocks) next() ([]byte, error) {
	if b.given {
		b.giveBack()
	}
	for {
		for i, c := range b.more {
			if b.endsBlock(c) {
				return b.cut(i + 1), nil
			}
		}
		b.keep(b.more)
		b.more = nil
		if len(b.block) > maxEvent {
			return nil, errEventTooLong
		}
		err := b.read()
		if err != nil {
			b.rest()
			return nil, err
		}
	}
}

// chunks are what streams are read into.
var chunks = sync.Pool{New: func() any { return new([256]byte) }}

// read reads more, unless nothing is there.
func (b *blocks) read() error {
	if b.quiet != nil && b.quiet() {
		return errQuiet
	}
	if b.chunk == nil {
		b.chunk = chunks.Get().(*[256]byte)
	}
	n, err := b.from.Read(b.chunk[:])
	b.more = b.chunk[:n]
	if n > 0 {
		return nil // an error will be told again
	}
	return err
}

// rest gives back the chunk, of which nothing is left.
func (b *blocks) rest() {
	if b.chunk != nil {
		chunks.Put(b.chunk)
	}
	b.chunk = nil
}

// cut returns the block that ends after n bytes of what is there. One that has come in one piece, as most do, is
// not copied.
func (b *blocks) cut(n int) []byte {
	block := b.more[:n]
	if b.lent != nil {
		b.keep(block)
		block = b.block
	}
	b.more = b.more[n:]
	if !b.begun {
		block = bytes.TrimPrefix(block, byteOrderMark)
	}
	b.begun, b.given = true, true
	return block
}

// longBlocks are buffers for blocks in several pieces. A list of all status messages comes to each agent who logs
// in: grown anew, its block was a tenth of the garbage of a log-in.
var longBlocks = sync.Pool{New: func() any { return new([]byte) }}

// largestKept is the size in bytes of what is not kept for another stream.
const largestKept = 64 << 10

// keep adds a piece to the block under way.
func (b *blocks) keep(piece []byte) {
	if len(piece) == 0 {
		return
	}
	if b.lent == nil {
		b.lent = longBlocks.Get().(*[]byte)
		b.block = *b.lent
	}
	b.block = append(b.block, piece...)
	*b.lent = b.block[:0]
}

// giveBack ends the caller's use of the last block.
func (b *blocks) giveBack() {
	if b.lent != nil && cap(*b.lent) <= largestKept {
		longBlocks.Put(b.lent)
	}
	b.block, b.lent, b.given = nil, nil, false
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

// eventData returns the data of the event that a block is, none if it is no event. Data of one line, as that
// of sites, is part of the block: a library that makes strings of events copies each five times.
//
// Source: WHATWG HTML, 9.2.6.
func eventData(block []byte) []byte {
	var data []byte
	begun := false
	for line := range bytes.FieldsFuncSeq(block, isLineEnd) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		if string(name) != "data" {
			continue
		}
		value = bytes.TrimPrefix(value, []byte(" "))
		if begun {
			data = append(append(data, '\n'), value...)
			continue
		}
		data, begun = slices.Clip(value), true // what follows is not to be written over the block
	}
	return data
}

func isLineEnd(r rune) bool { return r == '\r' || r == '\n' }
