package gateway

import "sync"

// A slot is a channel with room for one, which is made when it is needed: most agents never need most of theirs.
// Any number of goroutines may use it. Its zero value is ready.
type slot struct {
	mu   sync.Mutex
	made chan struct{} // guarded by mu
}

func (s *slot) channel() chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made == nil {
		s.made = make(chan struct{}, 1)
	}
	return s.made
}
