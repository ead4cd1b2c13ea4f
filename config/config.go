// Package config reads Portico's settings: defaults, then one YAML file, then environment
// variables, and one verdict on all of them.
//
// Every fault is reported, not only the first, each as
//
//	portico.yaml:12: sites.pureconnect.confirm: "acepted" is not known; did you mean "accepted"?
//
// A setting in the environment is named PORTICO_ and its path in capitals, with an underscore for
// each dot and dash: PORTICO_LISTEN, PORTICO_CACHE_MAX_BYTES, PORTICO_SITES_PURECONNECT_TIMEOUT.
//
// README.md beside this file lists all settings.
package config

import (
	_ "embed"
	"net/netip"
	"time"
)

// Example is a commented settings file to start from.
//
//go:embed example.yaml
var Example string

// Config is everything an operator decides. One that Load or Parse returns is complete and
// consistent. Nobody changes it after that, so any number of goroutines may read it.
type Config struct {
	// Listen is the address agents' applications call, as host:port. Default ":8080".
	Listen string `yaml:"listen"`
	// PublicURL is how callers reach Portico: scheme, host and port without a path. It stands in
	// uri fields and is the trusted origin. Default: http, Listen's host or localhost, Listen's
	// port. It is empty where Listen's port is 0: PublicURLAt tells it once the port is known.
	PublicURL string `yaml:"public_url"`
	// Admin is the address of the operator's door, as host:port. Default "127.0.0.1:9180".
	Admin string `yaml:"admin"`
	// AdminTokenFile and AdminToken are what the operator's views ask for as a bearer token. Metrics
	// and health ask for none, nor do the views on a loopback address without one. Default none.
	AdminTokenFile string `yaml:"admin_token_file"`
	AdminToken     Secret `yaml:"admin_token"`
	// TLS makes Listen speak HTTPS, AdminTLS the operator's door. Default none.
	TLS      TLS `yaml:"tls"`
	AdminTLS TLS `yaml:"admin_tls"`
	// CSRF says what proves that a request with a cookie is meant by its agent. Default origin.
	CSRF CSRF `yaml:"csrf"`
	// CORS says which pages of other origins may call. Default none.
	CORS CORS `yaml:"cors"`
	// TrustedProxies are the networks whose X-Forwarded-For is believed. Default none.
	TrustedProxies []netip.Prefix `yaml:"trusted_proxies"`
	// Dialect forces one form of answers under both prefixes. Default "": each prefix its own.
	Dialect Dialect `yaml:"dialect"`
	// HTCCVersion is what /api/v2/diagnostics/version answers. Default "8.5.202.96".
	HTCCVersion string `yaml:"htcc_version"`
	// Passthrough are the path prefixes under which all that Portico does not answer itself goes to
	// the agent's htcc site. Default "/api/v2", "/internal-api", "/api/v1/stats".
	Passthrough []string `yaml:"passthrough"`
	// QuickRequests has reads that can be answered from memory, changes of state, and CometD's next connects answered
	// before net/http reads them. Default true.
	QuickRequests bool `yaml:"quick_requests"`
	// IdleTimeout ends a session that nobody used for so long. Default 30m.
	IdleTimeout time.Duration `yaml:"idle_timeout" min:"1ms" max:"168h"`
	// Credentials says whether a password is kept for the life of its session. Default keep.
	Credentials Credentials `yaml:"credentials"`
	// DrainDelay is how long requests are still accepted, with readiness refused, once Portico
	// was told to stop. Default 5s; 0s stops accepting at once.
	DrainDelay time.Duration `yaml:"drain_delay" min:"0s" max:"10m"`
	// Grace is how long, after DrainDelay, running requests and upstream log-outs may take.
	// Default 20s.
	Grace time.Duration `yaml:"grace" min:"1ms" max:"10m"`

	Cache  Cache  `yaml:"cache"`
	Log    Log    `yaml:"log"`
	Traces Traces `yaml:"traces"`
	Limits Limits `yaml:"limits"`
	Logins Logins `yaml:"logins"`
	Store  Store  `yaml:"store"`

	// Sites are the upstream contact centres by name. At least one.
	Sites map[string]Site `yaml:"sites" key:"name"`
	// Routes say which sites an agent works on; the first that matches counts. At least one.
	Routes []Route `yaml:"routes"`
	// States gives one operationName to states of several sites: name, then site, then the
	// operationName, id or display name there. Default none.
	States map[string]map[string]string `yaml:"states" key:"name,site"`

	// Warnings are what is allowed but rarely meant, in the form of faults.
	Warnings []string `yaml:"-"`
}

// Cache is about catalogues of status messages.
type Cache struct {
	// MaxBytes bounds the encoded forms kept. Default 64MiB.
	MaxBytes Bytes `yaml:"max_bytes" min:"1KiB" max:"1024GiB"`
	// Scope is whom one fetched catalogue serves. Default session.
	Scope Scope `yaml:"scope"`
	// StaleIfError is how long a catalogue is still served while its site cannot be reached.
	// Default 1h; 0s is not at all.
	StaleIfError time.Duration `yaml:"stale_if_error" min:"0s" max:"168h"`
}

// Log is about the log on standard output.
type Log struct {
	// Level is the least severe level written. Default info.
	Level LogLevel `yaml:"level"`
	// LoginNames shows operators agents' login names, in the records of requests and of changes, and in the
	// view of sessions. Default false.
	LoginNames bool `yaml:"login_names"`
	// ClientIP has the records of requests name the caller's address. Default false.
	ClientIP bool `yaml:"client_ip"`
}

// Default returns the settings that hold where neither file nor environment says otherwise. They
// name no site and no route, and so do not pass as settings alone.
func Default() *Config {
	c := &Config{
		Listen:        ":8080",
		Admin:         "127.0.0.1:9180",
		HTCCVersion:   "8.5.202.96",
		Passthrough:   []string{"/api/v2", "/internal-api", "/api/v1/stats"},
		QuickRequests: true,
		IdleTimeout:   30 * time.Minute,
		Credentials:   KeepCredentials,
		DrainDelay:    5 * time.Second,
		Grace:         20 * time.Second, // with DrainDelay below the 30 s that Kubernetes waits
		Cache:         Cache{MaxBytes: 64 << 20, Scope: ScopeSession, StaleIfError: time.Hour},
		Log:           Log{Level: "info"},
		Traces:        Traces{PerThousand: 10},
		CSRF:          CSRFByOrigin,
		Limits: Limits{Body: 64 << 10, Header: 32 << 10, Headers: 100, URL: 8 << 10, HeaderTimeout: 10 * time.Second,
			BodyTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second, Strangers: 10000, Requests: 2000, StrangersPerAddress: 1000},
		Logins: Logins{FailuresPerName: 4, FailuresPerAddress: 50, Window: 15 * time.Minute, Delay: time.Second},
		Store:  Store{Kind: StoreMemory, Timeout: time.Second},
	}
	c.PublicURL = c.PublicURLAt(c.Listen)
	return c
}
