package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"portico/config"
)

// A certificate that a site is to see ends unnoticed, unless it is counted; a new one is taken at a restart.
func TestCertificatesThatSitesSeeAreCountedAndWaitForARestart(t *testing.T) {
	folder := t.TempDir()
	authority := newAuthority(t, folder, "theirs")
	us := filepath.Join(folder, "us")
	ours, _ := authority.sign(t, "us", us)
	c := newCentres(t, nil)
	c.settings = strings.Replace(c.settings, "native: true\n", fmt.Sprintf("native: true\n    tls: {certificate_file: %q, key_file: %q}\n", us+".pem", us+".key"), 1)
	s := c.serveWith("drain_delay: 0s\n")
	want := fmt.Sprintf(`portico_tls_certificate_not_after_timestamp_seconds{name="site:pureconnect"} %v`, float64(ours.NotAfter.Unix()))
	if got := s.metric("portico_tls_certificate_not_after_timestamp_seconds"); got != want {
		t.Errorf("counted is %q; want %q", got, want)
	}
	reload := func(version string) {
		write(t, s.file, s.settings+"drain_delay: 0s\nhtcc_version: "+version+"\n")
		s.shows(version)
	}
	const waits = "a changed client certificate waits for a restart"
	reload("9.1.2")
	if strings.Contains(s.log.String(), waits) {
		t.Errorf("logged of a certificate that has not changed: %s", s.log.String())
	}
	authority.sign(t, "us", us)
	reload("9.1.3")
	eventually(t, "the log names the certificate", func() bool {
		return strings.Contains(s.log.String(), waits+`","name":"site:pureconnect"`)
	})
}

// Whom a site or the store must be vouched for by is read once, too: who changes the file is to know that nothing has come of it.
func TestChangedAuthoritiesWaitForARestart(t *testing.T) {
	folder := t.TempDir()
	trusted := newAuthority(t, folder, "trusted").file
	c := newCentres(t, nil)
	c.settings = strings.Replace(c.settings, "cloud: {", fmt.Sprintf("cloud: {tls: {ca_file: %q}, ", trusted), 1)
	s := c.serveWith("drain_delay: 0s\n")
	if got := s.metric("portico_tls_certificate_not_after_timestamp_seconds"); got != "" {
		t.Errorf("counted is %q, where no certificate is shown", got)
	}
	newAuthority(t, folder, "trusted")
	hangUp(t)
	s.log.await(t, "settings reloaded")
	want := fmt.Sprintf(`"changed authorities wait for a restart","name":"site:cloud","file":%q`, trusted)
	if !strings.Contains(s.log.String(), want) {
		t.Errorf("the log has no %s: %s", want, s.log.String())
	}
}

// Each file of a site and of the store is told of when it changes, and only then.
func TestEachFileOfOursIsToldOf(t *testing.T) {
	folder := t.TempDir()
	files := config.SiteTLS{CAFile: filepath.Join(folder, "ca.pem"), CertificateFile: filepath.Join(folder, "us.pem"), KeyFile: filepath.Join(folder, "us.key")}
	cfg := &config.Config{Sites: map[string]config.Site{"cloud": {TLS: files}, "plain": {}},
		Store: config.Store{URLs: []string{"valkeys://store.example"}, TLS: files}}
	for file, want := range map[string]string{
		files.CAFile:                         "changed authorities wait for a restart",
		files.CertificateFile:                "a changed client certificate waits for a restart",
		files.KeyFile:                        "a changed client certificate waits for a restart",
		filepath.Join(folder, "another.pem"): "",
	} {
		ours := clientTLSOf(cfg)
		write(t, file, "changed")
		var told bytes.Buffer
		for _, one := range ours {
			one.tell(logger(&told, slog.LevelInfo))
		}
		wants := 2 // of the site and the store
		if want == "" {
			wants = 0
		}
		if got := strings.Count(told.String(), want+`","name":`); got != wants || strings.Count(told.String(), "\n") != wants {
			t.Errorf("of a changed %s the log has\n%s; want %q %d times", filepath.Base(file), told.String(), want, wants)
		}
	}
}
