package fleet

import (
	"bytes"
	"io"
)

// warnings hand on the lines of a log that warn, or tell of an error. One goroutine writes.
type warnings struct {
	to   io.Writer
	rest []byte // of a line that has not come to its end
}

func (w *warnings) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	for {
		line, rest, whole := bytes.Cut(w.rest, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		if bytes.Contains(line, []byte(`"level":"WARN"`)) || bytes.Contains(line, []byte(`"level":"ERROR"`)) {
			_, err := w.to.Write(append(bytes.Clone(line), '\n'))
			if err != nil {
				return 0, err
			}
		}
		w.rest = rest
	}
}
