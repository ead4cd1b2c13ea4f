package push

import (
	"bytes"
	"encoding/json"
	"sync"
)

// A scratch is a buffer that is used again and again: what each event and each connect would leave to the
// garbage collector is as much as all else they need. One goroutine uses it at a time.
type scratch struct {
	bytes.Buffer
	encoder *json.Encoder // into the buffer, leaving <, > and & as they are
}

var scratches = sync.Pool{New: func() any {
	s := new(scratch)
	s.encoder = json.NewEncoder(&s.Buffer)
	s.encoder.SetEscapeHTML(false)
	return s
}}

// borrow returns an empty scratch, which is the caller's until they give it back.
func borrow() *scratch { return scratches.Get().(*scratch) }

// largeScratch is the size in bytes of what is not kept: one long answer is no reason to hold its memory.
const largeScratch = 16 << 10

// giveBack ends the caller's use of s and of its bytes.
func (s *scratch) giveBack() {
	if s.Cap() <= largeScratch {
		s.Reset()
		scratches.Put(s)
	}
}

// encode appends v as JSON.
func (s *scratch) encode(v any) error {
	known, ok := v.(Appender)
	if ok {
		_, err := s.Write(known.AppendJSON(s.AvailableBuffer()))
		return err
	}
	err := s.encoder.Encode(v)
	if err == nil {
		s.Truncate(s.Len() - len("\n"))
	}
	return err
}

// separate begins the next element of an array.
func (s *scratch) separate() {
	if s.Len() == 0 {
		s.WriteByte('[')
		return
	}
	s.WriteByte(',')
}
