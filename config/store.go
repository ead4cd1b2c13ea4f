package config

import (
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Store is where sessions are kept. All but Kind is for valkey.
type Store struct {
	// Kind is memory, of this process, or valkey, shared by all replicas. Default memory.
	Kind StoreKind `yaml:"kind"`
	// URLs are valkey://host:port, or valkeys:// for TLS: of one server one, of a cluster some of its
	// nodes. redis:// and rediss:// mean the same.
	URLs []string `yaml:"urls"`
	// Cluster says that the servers are nodes of a cluster. More than one URL say so too.
	Cluster bool `yaml:"cluster"`
	// User is one of the server's access list. Default: the server's own default user.
	User string `yaml:"user"`
	// PasswordFile is a file holding the user's password, relative to the settings file.
	PasswordFile string `yaml:"password_file"`
	// Password is what PasswordFile or the environment held.
	Password Secret `yaml:"password"`
	// KeyFile is a file holding the keys that sessions are sealed with, relative to the settings file.
	KeyFile string `yaml:"key_file"`
	// Key is what KeyFile or the environment held: see Keys.
	Key Secret `yaml:"key"`
	// TLS says who is trusted to be the server, and who we are.
	TLS SiteTLS `yaml:"tls"`
	// Timeout bounds one operation, retries included. Default 1s.
	Timeout time.Duration `yaml:"timeout" min:"10ms" max:"10s"`
}

// storeKeySize is the length of a key, in bytes.
const storeKeySize = 32

// Keys returns the keys, of which the first seals and all open. Errors do not hold what was read.
func (s Store) Keys() ([][]byte, error) {
	var keys [][]byte
	for i, word := range strings.Fields(s.Key.Reveal()) {
		key, err := base64.StdEncoding.DecodeString(word)
		if err != nil || len(key) != storeKeySize {
			return nil, fmt.Errorf("key %d is not %d bytes in base64", i+1, storeKeySize)
		}
		if slices.ContainsFunc(keys, func(other []byte) bool { return string(other) == string(key) }) {
			return nil, fmt.Errorf("key %d is there twice", i+1)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// storePort is the servers' usual port.
const storePort = "6379"

// Addresses returns host:port of each URL.
func (s Store) Addresses() []string {
	var list []string
	for _, raw := range s.URLs {
		at, err := url.Parse(raw)
		if err != nil {
			continue // check has said so
		}
		port := at.Port()
		if port == "" {
			port = storePort
		}
		list = append(list, net.JoinHostPort(at.Hostname(), port))
	}
	return list
}

// Encrypted reports whether the URLs say that TLS is spoken.
func (s Store) Encrypted() bool { return slices.ContainsFunc(s.URLs, encrypted) }

func encrypted(raw string) bool {
	return strings.HasPrefix(raw, "valkeys://") || strings.HasPrefix(raw, "rediss://")
}

// TLSConfig reads the files of TLS, nil where none is spoken.
func (s Store) TLSConfig() (*tls.Config, error) {
	if !s.Encrypted() {
		return nil, nil
	}
	authorities, err := s.TLS.CAs()
	if err != nil {
		return nil, err
	}
	ours, err := s.TLS.Certificates()
	return &tls.Config{RootCAs: authorities, Certificates: ours, MinVersion: tls.VersionTLS12}, err
}

// complete reads the secret files.
func (s *Store) complete(v *verdict) {
	readSecretFile("store.password_file", s.PasswordFile, &s.Password, v)
	readSecretFile("store.key_file", s.KeyFile, &s.Key, v)
	s.TLS.complete("store.tls", v)
}
