package logs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	// maxWaiting is how much waits for a reader of the log that does not keep up, in bytes, besides as much that
	// is being written.
	maxWaiting = 1 << 20

	// maxSpare is how large a buffer may be that is kept for later, in bytes.
	maxSpare = 256 << 10
)

// A Queue holds lines until they are written, by a goroutine that is there while any wait: whoever reads
// the log may stall for as long as they like, and nobody who logs waits for them. Lines that find the
// queue full are lost, and so is what cannot be written; the first loss is said beside the log. A process
// that crashes takes with it what waits. Any number of goroutines may use it.
type Queue struct {
	out     io.Writer // of one goroutine at a time
	beside  io.Writer
	counted *counters
	start   func() // write, bound once: a line is to allocate nothing
	torn    bool   // the last write ended within a line; of the goroutine that writes

	mu      sync.Mutex
	waiting []byte        // lines; guarded by mu
	spare   []byte        // to wait in next, when waiting is written; guarded by mu
	writing bool          // write runs; guarded by mu
	idle    chan struct{} // closed when it ends, nil if nobody waits for that; guarded by mu

	once sync.Once
}

func newQueue(out, beside io.Writer, counted *counters) *Queue {
	q := &Queue{out: out, beside: beside, counted: counted}
	q.start = q.write
	return q
}

var errFull = errors.New("nobody takes them as fast as they come")

// Write takes one line. It never waits for what is written.
func (q *Queue) Write(line []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting)+len(line) > maxWaiting {
		q.lose(q.counted.full, 1, errFull)
		return 0, errFull
	}
	q.waiting = append(q.waiting, line...)
	if !q.writing {
		q.writing = true
		go q.start()
	}
	return len(line), nil
}

// Flush waits until all is written, at most for a time, and reports whether it is.
func (q *Queue) Flush(within time.Duration) bool {
	idle := q.idleness()
	if idle == nil {
		return true
	}
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case <-idle:
		return true
	case <-late.C:
		return false
	}
}

// idleness returns a channel that is closed when all is written, nil if all is.
func (q *Queue) idleness() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.writing && q.idle == nil {
		q.idle = make(chan struct{})
	}
	return q.idle
}

// write writes until nothing waits. What came meanwhile goes out in one.
func (q *Queue) write() {
	for {
		lines := q.take()
		if lines == nil {
			return
		}
		q.put(lines)
		q.keep(lines)
	}
}

// take returns the lines that wait; nil, and the queue is idle, if none do.
func (q *Queue) take() []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		q.writing = false
		if q.idle != nil {
			close(q.idle)
			q.idle = nil
		}
		return nil
	}
	lines := q.waiting
	q.waiting, q.spare = q.spare, nil
	return lines
}

// keep keeps a buffer for later, unless a stall made it large.
func (q *Queue) keep(buffer []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if cap(buffer) <= maxSpare {
		q.spare = buffer[:0]
	}
}

// put writes lines, and counts those that were written whole and those that were not.
func (q *Queue) put(lines []byte) {
	n, err := 0, error(nil)
	if q.torn {
		_, err = q.out.Write(lineEnd)
	}
	if err == nil {
		n, err = q.out.Write(lines)
		q.torn = n > 0 && lines[n-1] != '\n'
	}
	whole := bytes.LastIndexByte(lines[:n], '\n') + 1
	q.counted.count(lines[:whole])
	if err != nil {
		q.lose(q.counted.failed, bytes.Count(lines[whole:], lineEnd), err)
	}
}

var lineEnd = []byte("\n")

// lose counts lines that are lost. It waits for nobody: beside the log may be where the log goes.
func (q *Queue) lose(count prometheus.Counter, lines int, cause error) {
	count.Add(float64(lines))
	q.once.Do(func() {
		go fmt.Fprintf(q.beside, "portico: lines of the log are lost, as portico_log_messages_lost_total counts them: %v\n", cause)
	})
}
