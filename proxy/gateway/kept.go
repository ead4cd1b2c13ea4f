package gateway

import "sync"

// Kept holds encoded forms of what is shown of an agent, for as long as the same is shown: whatever changes
// that makes another Kept. Any number of goroutines may use it; the nil Kept keeps nothing.
type Kept struct {
	mu    sync.RWMutex
	forms map[string][]byte // guarded by mu; nil: asked for once
}

// Bounds of what is kept of an agent: applications read one or two forms, over and over.
const (
	maxForms    = 4
	longestForm = 256      // bytes of its name
	largestKept = 16 << 10 // bytes
)

// Get returns the form of that name, which callers share and must not change; nil if there is none.
func (k *Kept) Get(name string) []byte { return k.get([]byte(name)) }

func (k *Kept) get(name []byte) []byte {
	if k == nil {
		return nil
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.forms[string(name)]
}

// Put keeps a form from the second time on: of most that is shown one form is read once, and thousands of
// agents would have it kept for nothing.
func (k *Kept) Put(name string, form []byte) {
	if k == nil || len(name) > longestForm || len(form) > largestKept {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	_, asked := k.forms[name]
	switch {
	case asked:
		k.forms[name] = form
	case k.forms == nil:
		k.forms = map[string][]byte{name: nil}
	case len(k.forms) < maxForms:
		k.forms[name] = nil
	}
}
