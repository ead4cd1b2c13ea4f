package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"portico/config"
)

// healthTimeout bounds the question whether a Portico is alive.
const healthTimeout = 3 * time.Second

// health asks a running Portico whether it is alive, for container health checks. The address is
// that of its admin listener: the argument, else PORTICO_ADMIN, else the default.
func health(ctx context.Context, p process, args []string) error {
	set := p.flags("health", "[ADDRESS]")
	err := parse(set, args, 1)
	if err != nil {
		return err
	}
	address := config.Default().Admin
	for _, variable := range p.environ {
		value, found := strings.CutPrefix(variable, "PORTICO_ADMIN=")
		if found && value != "" {
			address = value
		}
	}
	if set.NArg() == 1 {
		address = set.Arg(0)
	}
	return ask(ctx, healthURL(address, p.environ))
}

// healthURL returns where the server at an address tells of its health: over HTTPS if the address or the
// environment says so.
func healthURL(address string, environ []string) string {
	bare, secured := strings.CutPrefix(strings.TrimSuffix(address, "/"), "https://")
	bare, inClear := strings.CutPrefix(bare, "http://")
	secured = secured || slices.ContainsFunc(environ, func(variable string) bool {
		return strings.HasPrefix(variable, "PORTICO_ADMIN_TLS_CERTIFICATE_FILE=") && !strings.HasSuffix(variable, "=")
	})
	if secured && !inClear {
		return "https://" + dialable(bare) + "/healthz"
	}
	return "http://" + dialable(bare) + "/healthz"
}

// asking trusts whoever answers: the question tells nothing, and a certificate names no loopback address.
var asking = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}

// ask returns nil if url answers 200.
func ask(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	reply, err := asking.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = reply.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(reply.Body, 1<<10))
	if err != nil {
		return err
	}
	if reply.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s: %s", url, reply.Status, strings.TrimSpace(string(body)))
	}
	return nil
}

// dialable turns an address to listen on into one to call: all addresses become this machine.
func dialable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
