package cache

import (
	"crypto/sha256"
	"runtime"
	"sync"
	"weak"
)

// A Digest tells values apart by their content.
type Digest = [sha256.Size]byte

// An Interner makes equal values one object, however many sessions hold it. It holds none itself:
// when the last session lets go of a value, the garbage collector takes it and its entry here.
//
// Any number of goroutines may call its methods.
type Interner[T any] struct {
	digest func(*T) Digest

	mu     sync.Mutex // guards values
	values map[Digest]weak.Pointer[T]
}

// NewInterner returns an empty interner. digest returns the SHA-256 of everything that makes two
// values differ; a value that knows its digest just returns it.
func NewInterner[T any](digest func(*T) Digest) *Interner[T] {
	return &Interner[T]{digest: digest, values: make(map[Digest]weak.Pointer[T])}
}

// Of returns the value that all equal ones share: value itself if no equal one is held. From now
// on it must not change.
func (i *Interner[T]) Of(value *T) *T {
	digest := i.digest(value)
	i.mu.Lock()
	defer i.mu.Unlock()
	shared := i.values[digest].Value()
	if shared != nil {
		return shared
	}
	entry := entry[T]{digest, weak.Make(value)}
	i.values[digest] = entry.value
	runtime.AddCleanup(value, i.remove, entry)
	return value
}

// Len returns how many different values are held, counting those whose cleanup is still to run.
func (i *Interner[T]) Len() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.values)
}

// An entry is what remains of a value once it is collected.
type entry[T any] struct {
	digest Digest
	value  weak.Pointer[T]
}

// remove drops the entry of a value that was collected, unless an equal value has taken its place.
func (i *Interner[T]) remove(gone entry[T]) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.values[gone.digest] == gone.value {
		delete(i.values, gone.digest)
	}
}
