package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
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
	return ask(ctx, "http://"+dialable(address)+"/healthz")
}

// ask returns nil if url answers 200.
func ask(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	reply, err := http.DefaultClient.Do(req)
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
