package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"portico/config"
)

// lookAtFiles is how often certificates are looked at. Their contents count, so it does not matter how
// a file is replaced, and links that a container's platform turns are followed.
const lookAtFiles = 10 * time.Second

// certificates are what a server shows and asks for. They are read again when their files change; what
// cannot be used is logged once, and what was there stays. Any number of goroutines may use them.
type certificates struct {
	name  string
	files config.TLS
	log   *slog.Logger
	now   atomic.Pointer[tls.Config]
	seen  [sha256.Size]byte // of the files as they were last tried; used by one goroutine, like later
	later bool              // they hold a certificate that is to be tried again: it was not valid
	ends  prometheus.Gauge  // when the certificate does
}

// newCertificates reads the files.
func newCertificates(name string, files config.TLS, log *slog.Logger) (*certificates, error) {
	c := &certificates{name: name, files: files, log: log, seen: fingerprintOf(files), ends: nowhere}
	settings, err := tlsOf(files)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	c.adopt(settings)
	return c, nil
}

// nowhere is a gauge that nobody sees.
var nowhere = prometheus.NewGauge(prometheus.GaugeOpts{Name: "nowhere"})

// adopt shows connections to come what was read.
func (c *certificates) adopt(settings *tls.Config) {
	c.now.Store(settings)
	c.ends.Set(float64(settings.Certificates[0].Leaf.NotAfter.Unix()))
}

// count shows in ends when the certificate ends. It is called before run.
func (c *certificates) count(ends *prometheus.GaugeVec) {
	c.ends = ends.WithLabelValues(c.name)
	c.adopt(c.now.Load())
}

// newCertificateEnds registers the metric of the certificates that are shown.
func newCertificateEnds(reg prometheus.Registerer) *prometheus.GaugeVec {
	return promauto.With(reg).NewGaugeVec(prometheus.GaugeOpts{
		Name: "portico_tls_certificate_not_after_timestamp_seconds",
		Help: "When a certificate that is shown ends. name: door, admin, site:NAME (ours to the site), store (ours to it).",
	}, []string{"name"})
}

// settings are the server's: each connection gets what is there when it is made.
func (c *certificates) settings() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.now.Load(), nil }}
}

// run looks at the files until ctx ends.
func (c *certificates) run(ctx context.Context) {
	ticks := time.NewTicker(lookAtFiles)
	defer ticks.Stop()
	for {
		select {
		case <-ticks.C:
			c.refresh()
		case <-ctx.Done():
			return
		}
	}
}

// refresh reads the files if they have changed. A certificate that is not valid now waits while the old one is.
func (c *certificates) refresh() {
	seen := fingerprintOf(c.files)
	changed := seen != c.seen
	if !changed && !c.later {
		return
	}
	c.seen, c.later = seen, false
	settings, err := tlsOf(c.files)
	if err != nil {
		c.log.Error("a changed certificate is not usable, the old one stays", "server", c.name, "cause", err.Error())
		return
	}
	now := time.Now()
	err = config.CheckDates(settings.Certificates[0], now)
	if err != nil && config.CheckDates(c.now.Load().Certificates[0], now) == nil {
		c.later = true
		if changed {
			c.log.Error("a changed certificate is not valid, the old one stays until it is or that one ends", "server", c.name, "cause", err.Error())
		}
		return
	}
	c.adopt(settings)
	if err != nil {
		c.log.Warn("the certificate is not valid, and the old one is not either", "server", c.name, "cause", err.Error())
	}
	c.log.Info("the certificate was read again", "server", c.name, "not_after", settings.Certificates[0].Leaf.NotAfter)
}

// tlsOf reads what one connection is told. A session is not resumed where callers have certificates:
// theirs would not be held to authorities that have changed.
func tlsOf(files config.TLS) (*tls.Config, error) {
	pair, err := files.Pair()
	if err != nil {
		return nil, err
	}
	authorities, err := files.ClientCAs()
	if err != nil {
		return nil, err
	}
	settings := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, Certificates: []tls.Certificate{pair}}
	if authorities != nil {
		settings.ClientCAs, settings.ClientAuth, settings.SessionTicketsDisabled = authorities, tls.RequireAndVerifyClientCert, true
	}
	return settings, nil
}

// fingerprintOf tells all three files' contents apart.
func fingerprintOf(files config.TLS) [sha256.Size]byte {
	return fingerprint(files.CertificateFile, files.KeyFile, files.ClientCAFile)
}

// fingerprint tells the contents of files apart. A file that cannot be read is one without contents.
func fingerprint(names ...string) [sha256.Size]byte {
	sum := sha256.New()
	for _, name := range names {
		data, _ := os.ReadFile(name)
		one := sha256.Sum256(data)
		_, _ = sum.Write(one[:])
	}
	return [sha256.Size]byte(sum.Sum(nil))
}
