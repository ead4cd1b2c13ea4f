package config

import (
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"
)

// leastSharedIdle is the shortest idle time of sessions that replicas share: each tells the store of uses every few
// seconds, and may find it away for some.
const leastSharedIdle = 30 * time.Second

// checkStore is about what replicas share.
func (c *Config) checkStore(v *verdict) {
	s := c.Store
	if s.Kind != StoreValkey {
		for _, f := range fieldsOf(reflect.TypeFor[Store]()) {
			if below := join("store", f.name); f.name != "kind" && v.given(below) && !v.unread("store.kind") {
				v.fault(below, "is for a shared store; leave it out, or say kind: valkey")
			}
		}
		return
	}
	if c.IdleTimeout > 0 && c.IdleTimeout < leastSharedIdle {
		v.fault("idle_timeout", "%v is too short with a shared store, which is told of a use some seconds late; want %v at least", c.IdleTimeout, leastSharedIdle)
	}
	s.checkURLs(v)
	s.TLS.check("store.tls", v)
	keys, err := s.Keys()
	switch {
	case err != nil:
		v.fault(v.secretAt("store.key"), "%v; want one key a line, as openssl rand -base64 32 makes them", err)
	case len(keys) == 0 && s.KeyFile == "":
		v.fault("store.key_file", "is missing; name a file with the keys that sessions are sealed with, one a line, as openssl rand -base64 32 makes them")
	}
	if s.User != "" && s.Password.IsZero() && s.PasswordFile == "" {
		v.fault("store.password_file", "is missing; name a file that holds the password of user %q", s.User)
	}
}

func (s Store) checkURLs(v *verdict) {
	const path = "store.urls"
	if len(s.URLs) == 0 && !v.unread(path) {
		v.fault(path, "there are none; want one such as [\"valkey://store.example:6379\"], or some nodes of a cluster")
	}
	for i, raw := range s.URLs {
		problem := checkStoreURL(raw)
		switch {
		case raw == "": // could not be read
		case problem != "":
			v.fault(item(path, i), "%s", problem)
		case encrypted(raw) != s.Encrypted():
			v.fault(item(path, i), "%q is not encrypted and others are; write them alike", raw)
		}
	}
	if v.given("store.tls") && !s.Encrypted() && len(s.URLs) > 0 {
		v.fault("store.tls", "is not used: no URL begins with valkeys:// or rediss://")
	}
}

// checkStoreURL returns what is wrong with the URL of a server, "" for nothing. It does not quote one
// that may hold a password.
func checkStoreURL(raw string) string {
	if strings.Contains(raw, "@") {
		return "holds credentials; write them as user and password_file"
	}
	at, err := url.Parse(raw)
	switch {
	case err != nil, !slices.Contains([]string{"valkey", "valkeys", "redis", "rediss"}, at.Scheme), at.Hostname() == "":
		return fmt.Sprintf("%q is not the URL of a store; want valkey://host:port, or valkeys:// for TLS", raw)
	case at.Path != "" || at.RawQuery != "" || at.Fragment != "":
		return fmt.Sprintf("%q goes on after the port; leave that out, keys begin with portico: in database 0", raw)
	}
	return ""
}
