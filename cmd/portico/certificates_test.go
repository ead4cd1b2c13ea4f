package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"portico/config"
)

// certify writes a new certificate for 127.0.0.1, its own authority, and returns it.
func certify(t *testing.T, files config.TLS, name string) tls.Certificate {
	t.Helper()
	return certifyFrom(t, files, name, time.Time{}, time.Now().Add(24*time.Hour))
}

// certifyFrom is certify for a certificate that is valid from one time to another.
func certifyFrom(t *testing.T, files config.TLS, name string, from, to time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{"localhost"},
		NotBefore: from, NotAfter: to, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	inPEM, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, files.KeyFile, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: inPEM})))
	write(t, files.CertificateFile, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	pair, err := files.Pair()
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

func filesIn(folder string) config.TLS {
	return config.TLS{CertificateFile: filepath.Join(folder, "tls.crt"), KeyFile: filepath.Join(folder, "tls.key")}
}

// secured returns a server that speaks HTTPS and is bound by the default limits, or changed ones, until the test ends.
func secured(t *testing.T, files config.TLS, log *slog.Logger, changes ...func(*config.Limits)) *server {
	t.Helper()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.Proto)) })
	s, err := listen("door", "127.0.0.1:0", handler, log)
	if err != nil {
		t.Fatal(err)
	}
	err = s.secure(files, log)
	if err != nil {
		t.Fatal(err)
	}
	limits := config.Default().Limits
	for _, change := range changes {
		change(&limits)
	}
	s.bound(limits, nil)
	running := make(chan error, 1)
	go func() { running <- s.run(t.Context()) }()
	t.Cleanup(func() {
		_ = s.close()
		<-running
	})
	return s
}

// meet returns whose certificate a server shows, or why it lets nobody in.
func meet(t *testing.T, s *server, settings *tls.Config) (name string, state tls.ConnectionState, err error) {
	t.Helper()
	settings.InsecureSkipVerify = true
	conn, err := tls.Dial("tcp", s.address(), settings)
	if err != nil {
		return "", state, err
	}
	defer conn.Close()
	_, err = conn.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
	if err == nil {
		_, err = conn.Read(make([]byte, 1)) // a refusal comes after the handshake
	}
	state = conn.ConnectionState()
	return state.PeerCertificates[0].Subject.CommonName, state, err
}

func TestCertificatesAreReadAgain(t *testing.T) {
	files := filesIn(t.TempDir())
	certify(t, files, "first")
	var log bytes.Buffer
	s := secured(t, files, slog.New(slog.NewTextHandler(&log, nil)))
	expect := func(when, want string) {
		t.Helper()
		name, _, err := meet(t, s, &tls.Config{})
		if err != nil || name != want {
			t.Errorf("%s: %q, %v; want %q", when, name, err, want)
		}
	}
	c := s.certificates // whose goroutine has not looked yet, and will not within the test
	expect("at first", "first")
	good, err := os.ReadFile(files.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	write(t, files.KeyFile, "garbage")
	c.refresh()
	c.refresh()
	expect("with a key that is none", "first")
	if n := strings.Count(log.String(), "not usable"); n != 1 || strings.Contains(log.String(), "garbage") {
		t.Errorf("logged %d times: %s", n, &log)
	}
	write(t, files.KeyFile, string(good))
	certify(t, files, "second")
	c.refresh()
	expect("with new files", "second")
	err = os.Remove(files.CertificateFile)
	if err != nil {
		t.Fatal(err)
	}
	c.refresh()
	expect("without a file", "second")
}

func TestACertificateThatIsNotValidWaits(t *testing.T) {
	files := filesIn(t.TempDir())
	now := time.Now()
	certifyFrom(t, files, "old", now.Add(-time.Hour), now.Add(time.Hour))
	var log bytes.Buffer
	c, err := newCertificates("door", files, slog.New(slog.NewTextHandler(&log, nil)))
	must(t, err)
	expect := func(when, want string, said ...string) {
		t.Helper()
		c.refresh()
		c.refresh()
		if got := c.now.Load().Certificates[0].Leaf.Subject.CommonName; got != want {
			t.Errorf("%s: %q is shown; want %q", when, got, want)
		}
		for _, one := range said {
			if strings.Count(log.String(), one) != 1 {
				t.Errorf("%s the log does not say once %q:\n%s", when, one, &log)
			}
		}
		log.Reset()
	}
	certifyFrom(t, files, "ended", now.Add(-time.Hour), now.Add(-time.Minute))
	expect("with one that ended", "old", "level=ERROR", "the old one stays", "the certificate ended at")
	begins := time.Now().Truncate(time.Second).Add(3 * time.Second) // dates are in seconds
	certifyFrom(t, files, "early", begins, now.Add(time.Hour))
	expect("with one that begins later", "old", "level=ERROR", "the certificate is not valid before")
	time.Sleep(time.Until(begins))
	expect("when that begins", "early", "was read again")
	ended := *c.now.Load()
	leaf := *ended.Certificates[0].Leaf
	leaf.NotAfter = now.Add(-time.Minute)
	ended.Certificates = []tls.Certificate{{Leaf: &leaf}}
	c.now.Store(&ended)
	certifyFrom(t, files, "ended too", now.Add(-time.Hour), now.Add(-time.Minute))
	expect("when neither is valid", "ended too", "level=WARN", "was read again")
}

func TestWhereHealthIsAsked(t *testing.T) {
	secured := []string{"PORTICO_ADMIN_TLS_CERTIFICATE_FILE=x"}
	for _, tt := range []struct {
		address string
		environ []string
		want    string
	}{
		{":9180", nil, "http://127.0.0.1:9180/healthz"},
		{":9180", secured, "https://127.0.0.1:9180/healthz"},
		{"http://127.0.0.1:9180", nil, "http://127.0.0.1:9180/healthz"},
		{"http://127.0.0.1:9180/", secured, "http://127.0.0.1:9180/healthz"},
		{"https://127.0.0.1:9180/", nil, "https://127.0.0.1:9180/healthz"},
	} {
		if got := healthURL(tt.address, tt.environ); got != tt.want {
			t.Errorf("healthURL(%q, %q) = %q; want %q", tt.address, tt.environ, got, tt.want)
		}
	}
}

func TestHTTPS(t *testing.T) {
	files := filesIn(t.TempDir())
	certify(t, files, "door")
	s := secured(t, files, slog.New(slog.DiscardHandler))
	_, _, err := meet(t, s, &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	if err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	client := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	res, err := client.Get(s.url())
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.ProtoMajor != 2 {
		t.Errorf("%s is spoken; want HTTP/2", res.Proto)
	}
	if ask(t.Context(), healthURL(s.url(), nil)) != nil || ask(t.Context(), healthURL(s.address(), []string{"PORTICO_ADMIN_TLS_CERTIFICATE_FILE=x"})) != nil {
		t.Error("portico health does not speak HTTPS")
	}
}

func TestClientCertificates(t *testing.T) {
	files, theirs, strange := filesIn(t.TempDir()), filesIn(t.TempDir()), filesIn(t.TempDir())
	certify(t, files, "door")
	agent, stranger := certify(t, theirs, "agent"), certify(t, strange, "stranger")
	files.ClientCAFile = theirs.CertificateFile
	s := secured(t, files, slog.New(slog.DiscardHandler))
	for name, test := range map[string]struct {
		shows []tls.Certificate
		in    bool
	}{
		"none": {nil, false}, "one of another authority": {[]tls.Certificate{stranger}, false}, "one of the authority": {[]tls.Certificate{agent}, true},
	} {
		_, _, err := meet(t, s, &tls.Config{GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if test.shows == nil {
				return &tls.Certificate{}, nil
			}
			return &test.shows[0], nil
		}})
		if (err == nil) != test.in {
			t.Errorf("a caller with %s: %v", name, err)
		}
	}
}
