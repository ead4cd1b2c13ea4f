package upstream

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
)

// proxied reports whether a request goes through a proxy of its transport, or fails because of it: then it is
// the transport's own.
func proxied(t *http.Transport, req *http.Request) bool {
	if t.Proxy == nil {
		return false
	}
	proxy, err := t.Proxy(req)
	return err != nil || proxy != nil
}

// dial connects to the host of a URL as a transport would, to speak HTTP/1.1.
func dial(ctx context.Context, t *http.Transport, to *url.URL) (net.Conn, error) {
	port := to.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[to.Scheme]
	}
	connect := t.DialContext
	if connect == nil {
		connect = new(net.Dialer).DialContext
	}
	conn, err := connect(ctx, "tcp", net.JoinHostPort(to.Hostname(), port))
	if err != nil || to.Scheme != "https" {
		return conn, err
	}
	return secure(ctx, conn, t.TLSClientConfig, to.Hostname())
}

// secure speaks TLS on conn, which it closes if that fails.
func secure(ctx context.Context, conn net.Conn, as *tls.Config, host string) (net.Conn, error) {
	config := &tls.Config{}
	if as != nil {
		config = as.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = host
	}
	config.NextProtos = []string{"http/1.1"}
	secured := tls.Client(conn, config)
	err := secured.HandshakeContext(ctx)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return secured, nil
}
