package config

import "time"

// TLS is how one of our servers speaks HTTPS. The files are read again when they change.
type TLS struct {
	// CertificateFile holds the certificate and those between it and its authority, in PEM.
	CertificateFile string `yaml:"certificate_file"`
	// KeyFile holds the certificate's private key, in PEM.
	KeyFile string `yaml:"key_file"`
	// ClientCAFile holds authorities, in PEM: callers must then have a certificate of one of them.
	ClientCAFile string `yaml:"client_ca_file"`
}

// Given reports whether the server speaks HTTPS.
func (t TLS) Given() bool { return t.CertificateFile != "" }

// CORS is about browsers' requests for pages of other origins.
type CORS struct {
	// Origins are those whose pages may call with the agent's cookie. Default none.
	Origins []string `yaml:"origins"`
}

// Limits bound what callers may send, how much at once, and how long they may take.
type Limits struct {
	// Requests is how many are worked on at once, those that merely wait left out. Default 2000.
	Requests Count `yaml:"requests" min:"1" max:"1000000"`
	// Body is the longest request body under /me. Default 64KiB.
	Body Bytes `yaml:"body" min:"1KiB" max:"16MiB"`
	// Header is how long a request's line and headers may be in all. Default 32KiB.
	Header Bytes `yaml:"header" min:"4KiB" max:"1MiB"`
	// Headers is how many a request may have. Default 100.
	Headers Count `yaml:"headers" min:"10" max:"1000"`
	// URL is how long a request's URL may be. Default 8KiB.
	URL Bytes `yaml:"url" min:"256B" max:"64KiB"`
	// HeaderTimeout is how long line and headers may take. Default 10s.
	HeaderTimeout time.Duration `yaml:"header_timeout" min:"100ms" max:"5m"`
	// BodyTimeout is how long we wait in all for a body; each KiB that comes adds a second, up to
	// this. Default 30s.
	BodyTimeout time.Duration `yaml:"body_timeout" min:"100ms" max:"10m"`
	// WriteTimeout is how long a caller may take no part of an answer that is there. Default 30s.
	WriteTimeout time.Duration `yaml:"write_timeout" min:"100ms" max:"10m"`
	// Strangers is how many connections may wait on which nobody has logged in yet, for a request or for
	// their peer to take an answer, in all and from one address. Beyond that the one that waits longest is
	// closed. Defaults 10000 and 1000.
	Strangers           Count `yaml:"strangers" min:"10" max:"1000000"`
	StrangersPerAddress Count `yaml:"strangers_per_address" min:"1" max:"1000000"`
}

// Logins bound how often passwords may be guessed.
type Logins struct {
	// FailuresPerName is how many log-ins under one name may be refused within Window, before others
	// are. It stays below what makes the site lock the agent out. Default 4.
	FailuresPerName Count `yaml:"failures_per_name" min:"2" max:"1000"`
	// FailuresPerAddress is how many may be refused that come from one address. Default 50.
	FailuresPerAddress Count `yaml:"failures_per_address" min:"2" max:"100000"`
	// Window is how long a refused log-in counts. Default 15m.
	Window time.Duration `yaml:"window" min:"1s" max:"24h"`
	// Delay is how long the answer to a refused log-in is kept back, once several from one address were
	// refused within Window. Default 1s; 0s is not at all.
	Delay time.Duration `yaml:"delay" min:"0s" max:"10s"`
}
