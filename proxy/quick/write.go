package quick

import (
	"errors"
	"os"
	"time"
)

// writePiece is how many bytes of an answer are to be taken within one wait.
const writePiece = 16 << 10

// paced is a Conn as an Answerer writes to it.
type paced Conn

// Write writes an answer as long as the caller takes some of it. A deadline costs a third of a write, so one
// that is set is used for the answers of its time; when it comes too early, it is set anew.
func (w *paced) Write(p []byte) (int, error) {
	wait := w.of.Write()
	began := time.Now()
	w.answered = began
	if w.writeBy.Before(began) {
		w.deadline(began.Add(wait))
	}
	written, before := 0, 0 // in all, and until since
	for since := began; ; {
		n, err := w.Conn.Write(p[written:])
		written += n
		if err == nil {
			return written, nil
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			w.failed = err
			return written, err
		}
		now := time.Now()
		w.answered = now
		switch {
		case written-before >= writePiece:
			since, before = now, written
		case !now.Before(since.Add(wait)):
			w.failed = err
			return written, err
		}
		w.deadline(since.Add(wait))
	}
}

func (w *paced) deadline(t time.Time) {
	w.writeBy = t
	_ = w.Conn.SetWriteDeadline(t)
}
