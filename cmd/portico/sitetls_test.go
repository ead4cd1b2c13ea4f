package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"portico/config"
)

// An authority signs certificates for 127.0.0.1.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	file        string // its certificate
}

func newAuthority(t *testing.T, folder, name string) authority {
	t.Helper()
	a := authority{file: filepath.Join(folder, name+".pem")}
	a.certificate, a.key = a.sign(t, name, filepath.Join(folder, name))
	return a
}

// sign makes a certificate, of the authority's own if it has none yet, in two files: .pem and .key.
func (a authority) sign(t *testing.T, name, file string) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true, IsCA: a.key == nil}
	parent, signer := template, key
	if a.key != nil {
		parent, signer = a.certificate, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for suffix, block := range map[string]*pem.Block{".pem": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "EC PRIVATE KEY", Bytes: encoded}} {
		err = os.WriteFile(file+suffix, pem.EncodeToMemory(block), 0o600)
		if err != nil {
			t.Fatal(err)
		}
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, key
}

// TestWhomOfASiteWeTrust holds that nothing is sent to a host that cannot prove who it is, and that a
// host which asks for our certificate sees it.
func TestWhomOfASiteWeTrust(t *testing.T) {
	folder := t.TempDir()
	theirs, foreign := newAuthority(t, folder, "theirs"), newAuthority(t, folder, "foreign")
	theirs.sign(t, "host", filepath.Join(folder, "host"))
	theirs.sign(t, "us", filepath.Join(folder, "us"))
	pair, err := tls.LoadX509KeyPair(filepath.Join(folder, "host.pem"), filepath.Join(folder, "host.key"))
	if err != nil {
		t.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AddCert(theirs.certificate)
	host := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	host.Config.ErrorLog = log.New(io.Discard, "", 0)
	host.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients}
	host.StartTLS()
	defer host.Close()
	ours := config.SiteTLS{CAFile: theirs.file, CertificateFile: filepath.Join(folder, "us.pem"), KeyFile: filepath.Join(folder, "us.key")}
	for name, row := range map[string]struct {
		settings config.SiteTLS
		want     string // "" for no answer
	}{
		"their authority and our certificate": {ours, "us"},
		"no certificate of ours":              {config.SiteTLS{CAFile: theirs.file}, ""},
		"another authority":                   {config.SiteTLS{CAFile: foreign.file, CertificateFile: ours.CertificateFile, KeyFile: ours.KeyFile}, ""},
		"the system's authorities":            {config.SiteTLS{CertificateFile: ours.CertificateFile, KeyFile: ours.KeyFile}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			calling, err := transport(row.settings)
			if err != nil {
				t.Fatal(err)
			}
			defer calling.CloseIdleConnections()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, host.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			res, err := calling.RoundTrip(req)
			if err == nil {
				body, _ := io.ReadAll(res.Body)
				_ = res.Body.Close()
				got = string(body)
			}
			if got != row.want {
				t.Errorf("the host answered %q (%v); want %q", got, err, row.want)
			}
		})
	}
}
