package store

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"portico/proxy/session"
)

// The user needs no more rights than README.md gives it.
func TestAsAUserOfTheAccessList(t *testing.T) {
	server := startServer(t)
	server.cli(t, "ACL", "SETUSER", "portico", "on", ">canary", "resetkeys", "~portico:*", "resetchannels", "&portico:*", "-@all",
		"+get", "+set", "+del", "+hget", "+hset", "+hmget", "+hdel", "+hgetall", "+hincrby", "+persist", "+pexpire", "+lindex", "+ltrim", "+rpush", "+xadd", "+xrange", "+publish", "+subscribe", "+unsubscribe", "+time", "+scan", "+eval", "+evalsha", "+hello", "+auth", "+ping")
	for name, contract := range contracts {
		t.Run(name, func(t *testing.T) {
			server.cli(t, "FLUSHALL")
			open := func() *Valkey { return server.open(t, func(s *Settings) { s.User, s.Password = "portico", "canary" }) }
			v := open()
			must(t, second(v.probe(t.Context())))
			contract(t, v.kit(open))
		})
	}
	v := server.open(t, func(s *Settings) { s.User, s.Password = "portico", "wrong" })
	if second(v.probe(t.Context())) == nil {
		t.Error("a wrong password is as good")
	}
}

func TestOverTLS(t *testing.T) {
	certificate, key, authorities := newCertificate(t)
	port := freePort(t)
	startServer(t, "--tls-port", port, "--tls-cert-file", certificate, "--tls-key-file", key, "--tls-auth-clients", "no")
	open := func(trusted *x509.CertPool) *Valkey {
		v, err := New(Settings{Addresses: []string{"127.0.0.1:" + port}, Timeout: 20 * time.Second, Keys: [][]byte{bytes.Repeat([]byte{1}, keySize)},
			TLS: &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12}, Metrics: session.NewMetrics(prometheus.NewRegistry())})
		must(t, err)
		t.Cleanup(func() { _ = v.Close() })
		return v
	}
	must(t, open(authorities).Sessions().Put(t.Context(), session.Session{ID: "a1", Login: "anna"}, time.Hour))
	_, err := open(x509.NewCertPool()).Sessions().Get(t.Context(), "a1")
	if err == nil {
		t.Error("a server that nobody vouches for is spoken to")
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { _ = listener.Close() }()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}

// newCertificate returns the files of a certificate for 127.0.0.1 and its key, and who vouches for it.
func newCertificate(t *testing.T) (certificate, key string, authorities *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	must(t, err)
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	authorities = x509.NewCertPool()
	parsed, err := x509.ParseCertificate(signed)
	must(t, err)
	authorities.AddCert(parsed)
	write := func(name, kind string, data []byte) string {
		path := filepath.Join(t.TempDir(), name)
		must(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}), 0o600))
		return path
	}
	return write("server.crt", "CERTIFICATE", signed), write("server.key", "PRIVATE KEY", encoded), authorities
}

func TestAWrongPasswordIsCalledThat(t *testing.T) {
	server := startServer(t)
	server.cli(t, "ACL", "SETUSER", "portico", "on", ">right", "~*", "&*", "+@all")
	v := server.open(t, func(s *Settings) { s.User, s.Password, s.Timeout = "portico", "wrong", time.Second })
	_, err := v.probe(t.Context())
	if err == nil || !strings.Contains(err.Error(), "WRONGPASS") || strings.Contains(err.Error(), "right") {
		t.Errorf("a probe with a wrong password: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }
