package config

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
)

// checkCallers is about what callers may do, and what keeps them apart.
func (c *Config) checkCallers(v *verdict) {
	c.TLS.check("tls", v)
	c.AdminTLS.check("admin_tls", v)
	if c.TLS.Given() && strings.HasPrefix(c.PublicURL, "http://") && v.given("public_url") {
		v.warn("public_url", "is http while listen speaks HTTPS: cookies are not kept to https; write https")
	}
	if !OnLoopback(c.Admin) && c.AdminToken.IsZero() && c.AdminTokenFile == "" && checkListen(c.Admin) == "" {
		v.warn("admin", "%q is not on a loopback address and admin_token_file is missing: all but metrics and health is refused there", c.Admin)
	}
	if strings.ContainsAny(c.AdminToken.Reveal(), "\r\n") {
		v.fault(v.secretAt("admin_token"), "holds several lines, and no request can; want the token alone")
	}
	c.checkOrigins(v)
	if c.Logins.FailuresPerAddress < c.Logins.FailuresPerName {
		v.fault("logins.failures_per_address", "%d is less than failures_per_name, %d; an address has many names", c.Logins.FailuresPerAddress, c.Logins.FailuresPerName)
	}
	if c.Limits.URL > c.Limits.Header {
		v.fault("limits.url", "%s is longer than limits.header, %s, which counts the URL too", c.Limits.URL, c.Limits.Header)
	}
}

// checkOrigins is about CORS. A cookie that other origins' pages may send must be kept to https.
func (c *Config) checkOrigins(v *verdict) {
	if len(c.CORS.Origins) > 0 && strings.HasPrefix(c.PublicURL, "http://") {
		v.fault("cors.origins", "need a public_url with https: browsers take no cookie for other origins without")
	}
	for i, origin := range c.CORS.Origins {
		path := item("cors.origins", i)
		problem := checkPublicURL(origin)
		switch {
		case origin == "": // could not be read
		case strings.Contains(origin, "*"):
			v.fault(path, "%q has a *; write each origin out", origin)
		case problem != "":
			v.fault(path, "%s", problem)
		case inClear(origin):
			v.fault(path, "%q is not https: whoever is on the way could put a page there; use https", origin)
		}
	}
}

// complete makes the paths of the files those from the working directory.
func (t *TLS) complete(path string, v *verdict) {
	t.CertificateFile = beside(join(path, "certificate_file"), t.CertificateFile, v)
	t.KeyFile = beside(join(path, "key_file"), t.KeyFile, v)
	t.ClientCAFile = beside(join(path, "client_ca_file"), t.ClientCAFile, v)
}

// check reads the files, as the server will.
func (t *TLS) check(path string, v *verdict) {
	certificate, key := join(path, "certificate_file"), join(path, "key_file")
	switch {
	case t.CertificateFile == "" && t.KeyFile == "" && t.ClientCAFile == "":
		return
	case t.CertificateFile == "" && !v.unread(certificate):
		v.fault(certificate, "is missing; HTTPS needs a certificate and its key")
		return
	case t.KeyFile == "" && !v.unread(key):
		v.fault(key, "is missing; name the file with the certificate's key")
		return
	}
	pair, err := t.Pair()
	if err != nil {
		v.fault(certificate, "%v; name a certificate and its key in PEM", err)
	} else {
		warnOfDates(certificate, pair, v)
	}
	_, err = t.ClientCAs()
	if err != nil {
		v.fault(join(path, "client_ca_file"), "%v; name authorities' certificates in PEM", err)
	}
}

// Pair reads the certificate and its key. Errors do not hold what was read.
func (t TLS) Pair() (tls.Certificate, error) {
	return tls.LoadX509KeyPair(t.CertificateFile, t.KeyFile)
}

// ClientCAs reads the authorities of callers' certificates, nil if callers need none.
func (t TLS) ClientCAs() (*x509.CertPool, error) {
	return readAuthorities(t.ClientCAFile)
}

// readAuthorities reads certificates in PEM, nil if no file is named.
func readAuthorities(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return pool, nil
}
