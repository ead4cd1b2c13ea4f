package store

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"

	"portico/proxy/session"
)

// keySize is the length of a key, in bytes.
const keySize = 32

// markSize is the length of what tells which key sealed a text, in bytes.
const markSize = 8

// A sealer keeps what it seals from whoever can read or write the store, but for those with a key. Any
// number of goroutines may use it.
type sealer struct {
	keys   []sealingKey // the first seals
	proofs []session.Key
}

type sealingKey struct {
	mark []byte
	aead cipher.AEAD
}

// newSealer derives from each key one to seal with and one for proofs, so that no key has two uses.
func newSealer(keys [][]byte) (*sealer, error) {
	if len(keys) == 0 {
		return nil, errors.New("store: there is no key to seal sessions with")
	}
	s := &sealer{}
	for i, key := range keys {
		if len(key) != keySize {
			return nil, fmt.Errorf("store: key %d has %d bytes; want %d", i+1, len(key), keySize)
		}
		one, err := newSealingKey(key)
		if err != nil {
			return nil, err
		}
		proof, err := hkdf.Expand(sha256.New, key, "portico proofs", keySize)
		if err != nil {
			return nil, err
		}
		s.keys, s.proofs = append(s.keys, one), append(s.proofs, session.KeyOf(proof))
	}
	return s, nil
}

func newSealingKey(key []byte) (sealingKey, error) {
	derived, err := hkdf.Expand(sha256.New, key, "portico sessions", keySize+markSize)
	if err != nil {
		return sealingKey{}, err
	}
	block, err := aes.NewCipher(derived[:keySize])
	if err != nil {
		return sealingKey{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return sealingKey{mark: derived[keySize:], aead: aead}, err
}

// seal returns text that only who has the key can read, and that is of this place alone: put elsewhere
// in the store it does not open.
func (s *sealer) seal(text []byte, place string) []byte {
	key := s.keys[0]
	return key.aead.Seal(bytes.Clone(key.mark), nil, text, []byte(place))
}

var errSealed = errors.New("a record was sealed with a key that we do not have, or changed since")

// open returns what was sealed for place.
func (s *sealer) open(sealed []byte, place string) ([]byte, error) {
	for _, key := range s.keys {
		text, ours := bytes.CutPrefix(sealed, key.mark)
		if !ours {
			continue
		}
		opened, err := key.aead.Open(nil, nil, text, []byte(place))
		if err == nil {
			return opened, nil
		}
	}
	return nil, errSealed
}
