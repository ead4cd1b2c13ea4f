package upstream

import (
	"context"
	"io"
	"sync"
	"time"
)

// A silence bounds how long the other side of an attempt may do nothing while we wait for it: from
// when it has the request to the head of its answer, and then between parts of the body. Time in
// which it is the caller who is waited for does not count. Any number of goroutines may use it.
type silence struct {
	cancel context.CancelCauseFunc

	mu    sync.Mutex
	limit time.Duration // guarded by mu
	timer *time.Timer   // guarded by mu
	over  bool          // nothing is waited for any more; guarded by mu
}

// newSilence returns the silence of an attempt that begins, and the context to make it with.
func newSilence(ctx context.Context, limit time.Duration) (context.Context, *silence) {
	ctx, cancel := context.WithCancelCause(ctx)
	return ctx, &silence{limit: limit, cancel: cancel, timer: time.AfterFunc(limit, func() { cancel(context.DeadlineExceeded) })}
}

// wait begins to count.
func (s *silence) wait() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.timer.Reset(s.limit)
	}
}

// allow changes the limit, from the next wait on.
func (s *silence) allow(limit time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = limit
}

// pause stops counting.
func (s *silence) pause() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timer.Stop()
}

// leave stops counting for good. The context goes on.
func (s *silence) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	s.timer.Stop()
}

// end ends the context too.
func (s *silence) end() {
	s.leave()
	s.cancel(nil)
}

// A download is the body of an answer. Only while it is read, the other side is waited for.
type download struct {
	io.ReadCloser
	silence *silence
	fail    func(error) error // explains and counts why it broke off
}

// Read implements io.Reader.
func (d download) Read(p []byte) (int, error) {
	d.silence.wait()
	n, err := d.ReadCloser.Read(p)
	d.silence.pause()
	if err != nil && err != io.EOF {
		err = d.fail(err)
	}
	return n, err
}

// Close implements io.Closer.
func (d download) Close() error {
	d.silence.end()
	return d.ReadCloser.Close()
}
