package main

import (
	"crypto/sha256"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"portico/config"
)

// A clientCertificate is one that Portico shows to a site, or to the store. It is read when Portico starts:
// connections are made with it until the end, whatever its files hold by then.
type clientCertificate struct {
	name  string
	files config.SiteTLS
	seen  [sha256.Size]byte // of the files, when Portico started
}

// clientCertificates returns those of the settings.
func clientCertificates(cfg *config.Config) []clientCertificate {
	var all []clientCertificate
	add := func(name string, files config.SiteTLS) {
		if files.CertificateFile != "" {
			all = append(all, clientCertificate{name, files, printOf(files)})
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

// printOf tells the files' contents apart.
func printOf(files config.SiteTLS) [sha256.Size]byte {
	return fingerprint(config.TLS{CertificateFile: files.CertificateFile, KeyFile: files.KeyFile})
}

// count shows in ends when the certificate ends. One that cannot be read has Portico not start.
func (c clientCertificate) count(ends *prometheus.GaugeVec) {
	pairs, err := c.files.Certificates()
	if err == nil && len(pairs) > 0 {
		ends.WithLabelValues(c.name).Set(float64(pairs[0].Leaf.NotAfter.Unix()))
	}
}

// tell warns of a certificate that was changed and not taken.
func (c clientCertificate) tell(log *slog.Logger) {
	if printOf(c.files) != c.seen {
		log.Warn("a changed client certificate waits for a restart", "name", c.name, "file", c.files.CertificateFile)
	}
}
