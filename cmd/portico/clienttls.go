package main

import (
	"crypto/sha256"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"portico/config"
)

// A clientTLS is whom Portico trusts to be a site, or the store, and the certificate that it shows there. Its files are
// read when Portico starts: connections are made with what they held until the end, whatever they hold by then.
type clientTLS struct {
	name  string
	files config.SiteTLS
	// What the files held when Portico started: of the authorities, and of the certificate with its key.
	authorities, certificate [sha256.Size]byte
}

// clientTLSOf returns those of the settings that name a file.
func clientTLSOf(cfg *config.Config) []clientTLS {
	var all []clientTLS
	add := func(name string, files config.SiteTLS) {
		if files != (config.SiteTLS{}) {
			all = append(all, clientTLS{name, files, fingerprint(files.CAFile), fingerprint(files.CertificateFile, files.KeyFile)})
		}
	}
	for _, name := range siteNames(cfg) {
		add("site:"+name, cfg.Sites[name].TLS)
	}
	if cfg.Store.Encrypted() {
		add("store", cfg.Store.TLS)
	}
	return all
}

// count shows in ends when the certificate ends, if there is one. One that cannot be read has Portico not start.
func (c clientTLS) count(ends *prometheus.GaugeVec) {
	pairs, err := c.files.Certificates()
	if err == nil && len(pairs) > 0 {
		ends.WithLabelValues(c.name).Set(float64(pairs[0].Leaf.NotAfter.Unix()))
	}
}

// tell warns of files that were changed and not taken.
func (c clientTLS) tell(log *slog.Logger) {
	if fingerprint(c.files.CAFile) != c.authorities {
		log.Warn("changed authorities wait for a restart", "name", c.name, "file", c.files.CAFile)
	}
	if fingerprint(c.files.CertificateFile, c.files.KeyFile) != c.certificate {
		log.Warn("a changed client certificate waits for a restart", "name", c.name, "file", c.files.CertificateFile)
	}
}
