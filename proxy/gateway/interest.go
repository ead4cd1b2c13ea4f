package gateway

import "sync"

// interests are who waits for each log-in under way. The zero value is ready; any number of goroutines
// may use it.
type interests struct {
	mu  sync.Mutex
	all map[string]*interest // by proof; guarded by mu
}

// interest is that of the callers who wait for one log-in.
type interest struct {
	callers int
	gone    chan struct{} // closed when the last of them has left
}

// enter counts a caller who waits, until they call leave. Gone is closed when nobody does any more.
func (i *interests) enter(proof string) (gone <-chan struct{}, leave func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.all == nil {
		i.all = map[string]*interest{}
	}
	one := i.all[proof]
	if one == nil {
		one = &interest{gone: make(chan struct{})}
		i.all[proof] = one
	}
	one.callers++
	return one.gone, func() { i.leave(proof, one) }
}

// has reports whether anybody waits for the log-in of a proof.
func (i *interests) has(proof string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.all[proof] != nil
}

func (i *interests) leave(proof string, one *interest) {
	i.mu.Lock()
	defer i.mu.Unlock()
	one.callers--
	if one.callers == 0 {
		close(one.gone)
		delete(i.all, proof)
	}
}
