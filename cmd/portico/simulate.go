package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"portico/config"
	"portico/proxy/icws/icwssim"
)

// simulate runs one simulator alone.
func simulate(ctx context.Context, p process, args []string) error {
	if len(args) == 0 || args[0] != "icws" {
		fmt.Fprintln(p.stderr, "portico simulate: name what to simulate: icws")
		return errUsage
	}
	sim := &icwssim.Server{}
	set := p.flags("simulate icws")
	address := set.String("listen", "127.0.0.1:8018", "`address` to listen at")
	secure := set.String("tls", "", "`address` to listen at with HTTPS and a self-signed certificate, such as 127.0.0.1:8019")
	set.StringVar(&sim.BasePath, "base-path", "", "`path` before /icws, such as /api/{host}")
	set.BoolVar(&sim.Lenient, "lenient", false, "take cookie or CSRF token where a server wants both")
	set.IntVar(&sim.MessagingVersion, "messaging", 2, "`version` of messaging: 1 has no event streams")
	set.DurationVar(&sim.AsyncDelay, "async-delay", 20*time.Millisecond, "time until a status change takes place")
	set.DurationVar(&sim.IdleTimeout, "idle-timeout", 2*time.Minute, "life of a session that asks nothing")
	err := parse(set, args[1:], 0)
	if err != nil {
		return err
	}
	servers, err := simulators(sim, *address, *secure, p)
	if err != nil {
		return err
	}
	for _, s := range servers {
		fmt.Fprintf(p.stdout, "%s at %s\n", s.name, s.address())
	}
	return serveSimulator(ctx, sim, servers)
}

// simulators opens the listeners of a simulator: plain, and with TLS if secure is given.
func simulators(sim *icwssim.Server, address, secure string, p process) ([]*server, error) {
	log := logger(p.stderr, config.LogLevel("warn"))
	plain, err := listen("ICWS simulator", address, sim, log)
	if err != nil {
		return nil, err
	}
	if secure == "" {
		return []*server{plain}, nil
	}
	certificate, err := icwssim.SelfSigned("localhost", "127.0.0.1")
	if err != nil {
		return nil, errors.Join(err, plain.listener.Close())
	}
	hidden, err := listen("ICWS simulator with TLS", secure, sim, log)
	if err != nil {
		return nil, errors.Join(err, plain.listener.Close())
	}
	hidden.withTLS(certificate)
	return []*server{plain, hidden}, nil
}

// serveSimulator serves until ctx ends or a server fails.
func serveSimulator(ctx context.Context, sim *icwssim.Server, servers []*server) error {
	parts, ctx := errgroup.WithContext(ctx)
	for _, s := range servers {
		parts.Go(func() error { return s.run(ctx) })
	}
	err := parts.Wait()
	sim.Close()
	for _, s := range servers {
		err = errors.Join(err, s.http.Close()) // a simulator has nothing to bring to an end
	}
	return err
}
