package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
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
