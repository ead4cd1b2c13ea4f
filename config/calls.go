package config

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"time"
)

// Calls bound what a site is asked.
type Calls struct {
	// AtOnce is how many calls may be outstanding; what lasts, such as event streams, is not counted.
	// Default 256.
	AtOnce Count `yaml:"at_once" min:"1" max:"100000"`
	// Wait is how long a call may wait for its place among them. Default 2s.
	Wait time.Duration `yaml:"wait" min:"1ms" max:"1m"`
	// Retries is how many of 100 calls that may be repeated are, if nobody answers. Default 10.
	Retries Count `yaml:"retries" min:"1" max:"10"`
}

// Breaker keeps calls from a host that fails.
type Breaker struct {
	// Calls is how many calls of a host within Within count: if half of them failed it is not called.
	// Defaults 20 and 10s.
	Calls  Count         `yaml:"calls" min:"2" max:"100000"`
	Within time.Duration `yaml:"within" min:"1s" max:"10m"`
	// Pause is how long it is not called, until it is tried by one call at a time. Default 5s.
	Pause time.Duration `yaml:"pause" min:"100ms" max:"10m"`
}

// Pace is how fast log-ins are sent to a site.
type Pace struct {
	// PerSecond is how many begin in a second. Default 50.
	PerSecond Count `yaml:"per_second" min:"1" max:"10000"`
	// Queue is how many callers' log-ins may wait for their turn. Default 1000.
	Queue Count `yaml:"queue" min:"1" max:"100000"`
	// Wait is how long one may; it must leave time for the log-in. Default 10s.
	Wait time.Duration `yaml:"wait" min:"1ms" max:"20s"`
}

// SiteTLS is how a site proves who it is, and we to it. The system's authorities are trusted by default.
type SiteTLS struct {
	// CAFile holds the authorities that are trusted instead, in PEM.
	CAFile string `yaml:"ca_file"`
	// CertificateFile and KeyFile hold our certificate and its key, in PEM, for a site that asks for one.
	CertificateFile string `yaml:"certificate_file"`
	KeyFile         string `yaml:"key_file"`
}

// completeCalls fills in the defaults of what a site is asked.
func (s *Site) completeCalls() {
	s.Calls.AtOnce = cmp.Or(s.Calls.AtOnce, 256)
	s.Calls.Wait = cmp.Or(s.Calls.Wait, 2*time.Second)
	s.Calls.Retries = cmp.Or(s.Calls.Retries, 10)
	s.Breaker.Calls = cmp.Or(s.Breaker.Calls, 20)
	s.Breaker.Within = cmp.Or(s.Breaker.Within, 10*time.Second)
	s.Breaker.Pause = cmp.Or(s.Breaker.Pause, 5*time.Second)
	s.Logins.PerSecond = cmp.Or(s.Logins.PerSecond, 50)
	s.Logins.Queue = cmp.Or(s.Logins.Queue, 1000)
	s.Logins.Wait = cmp.Or(s.Logins.Wait, 10*time.Second)
}

// complete makes the paths of the files those from the working directory.
func (t *SiteTLS) complete(path string, v *verdict) {
	t.CAFile = beside(join(path, "ca_file"), t.CAFile, v)
	t.CertificateFile = beside(join(path, "certificate_file"), t.CertificateFile, v)
	t.KeyFile = beside(join(path, "key_file"), t.KeyFile, v)
}

// check reads the files, as serve will.
func (t SiteTLS) check(path string, v *verdict) {
	certificate, key := join(path, "certificate_file"), join(path, "key_file")
	switch {
	case t.CertificateFile != "" && t.KeyFile == "" && !v.unread(key):
		v.fault(key, "is missing; name the file with the certificate's key")
	case t.CertificateFile == "" && t.KeyFile != "" && !v.unread(certificate):
		v.fault(certificate, "is missing; name the file with the key's certificate")
	default:
		pairs, err := t.Certificates()
		if err != nil {
			v.fault(certificate, "%v; name a certificate and its key in PEM", err)
		}
		for _, pair := range pairs {
			warnOfDates(certificate, pair, v)
		}
	}
	_, err := t.CAs()
	if err != nil {
		v.fault(join(path, "ca_file"), "%v; name authorities' certificates in PEM", err)
	}
}

// Certificates reads our certificate, if the site is to see one. Errors do not hold what was read.
func (t SiteTLS) Certificates() ([]tls.Certificate, error) {
	if t.CertificateFile == "" || t.KeyFile == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(t.CertificateFile, t.KeyFile)
	if err != nil {
		return nil, err
	}
	return []tls.Certificate{pair}, nil
}

// CAs reads the authorities that are trusted, nil for the system's.
func (t SiteTLS) CAs() (*x509.CertPool, error) {
	return readAuthorities(t.CAFile)
}
