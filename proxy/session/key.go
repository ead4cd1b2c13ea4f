package session

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"sync"
)

// A Key makes proofs and log names. It is never shown. Any number of goroutines may use it; the zero Key
// may not be used.
type Key struct {
	macs *sync.Pool // of hash.Hash: one that is used again takes half the time of a new one
}

// NewKey returns a random key.
func NewKey() Key {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: it ends the process instead
	return KeyOf(key)
}

// KeyOf returns the key that was made of these bytes.
func KeyOf(key []byte) Key {
	return Key{&sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

// Proof returns a hash of a login name and its password that tells nothing without the key.
func (k Key) Proof(login, password string) []byte { return k.sum("proof", login, password) }

// Seal returns a hash of parts, for a purpose, that nobody can make without the key. Compare it with
// hmac.Equal.
func (k Key) Seal(purpose string, parts ...string) []byte {
	return k.sum(append([]string{"seal", purpose}, parts...)...)
}

// ShortName returns the name under which logs speak of a session: 8 hex digits that lead nobody
// to its id.
func (k Key) ShortName(id string) string { return hex.EncodeToString(k.sum("name", id)[:4]) }

// sum hashes parts so that no two lists of parts give the same input.
func (k Key) sum(parts ...string) []byte {
	input := make([]byte, 0, 256)
	for _, part := range parts {
		input = binary.LittleEndian.AppendUint64(input, uint64(len(part)))
		input = append(input, part...)
	}
	mac := k.macs.Get().(hash.Hash)
	mac.Write(input)
	sum := mac.Sum(nil)
	mac.Reset() // now, so that no password is kept
	k.macs.Put(mac)
	return sum
}
