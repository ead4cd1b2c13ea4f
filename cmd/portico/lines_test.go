package main

import (
	"bytes"
	"sync"
	"testing"
	"time"
)

// lines is a writer whose lines can be waited for.
type lines struct {
	mu     sync.Mutex
	rest   bytes.Buffer // guarded by mu
	ready  chan string
	closed bool // guarded by mu
}

func newLines() *lines { return &lines{ready: make(chan string, 1000)} }

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest.Write(p)
	for {
		line, err := l.rest.ReadString('\n')
		if err != nil {
			l.rest.WriteString(line)
			return len(p), nil
		}
		l.ready <- line
	}
}

func (l *lines) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		close(l.ready)
		l.closed = true
	}
}

// next returns the next line.
func (l *lines) next(t *testing.T) string {
	t.Helper()
	select {
	case line := <-l.ready:
		return line
	case <-time.After(30 * time.Second):
		t.Fatal("no line within 30 s")
		return ""
	}
}
