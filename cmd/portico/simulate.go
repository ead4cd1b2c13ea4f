package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"portico/config"
	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/translate/htccapi"
)

// A simulated is a simulator and where it is served.
type simulated struct {
	handler interface {
		http.Handler
		Close()
	}
	servers []*server
}

// simulate runs one simulator alone.
func simulate(ctx context.Context, p process, args []string) error {
	if len(args) > 0 && args[0] == "icws" {
		return simulateICWS(ctx, p, args[1:])
	}
	if len(args) > 0 && args[0] == "htcc" {
		return simulateHTCC(ctx, p, args[1:])
	}
	err := parse(p.flags("simulate", "icws|htcc [flags]; each has flags of its own"), args, len(args))
	if err == nil {
		fmt.Fprintln(p.stderr, "portico simulate: name what to simulate: icws or htcc")
		err = errUsage
	}
	return err
}

func simulateICWS(ctx context.Context, p process, args []string) error {
	sim := &icwssim.Server{}
	set := p.flags("simulate icws", "[flags]")
	set.StringVar(&sim.BasePath, "base-path", "", "`path` before /icws, such as /api/{host}")
	set.BoolVar(&sim.Lenient, "lenient", false, "take cookie or CSRF token where a server wants both")
	set.Func("messaging", "`version` of messaging: 2, or 1, which has no event streams (default 2)", func(text string) error {
		version, err := strconv.Atoi(text)
		if err != nil || version < 1 || version > 2 {
			return errors.New("want 1 or 2")
		}
		sim.MessagingVersion = version
		return nil
	})
	set.DurationVar(&sim.AsyncDelay, "async-delay", 20*time.Millisecond, "time until a status change takes place")
	set.DurationVar(&sim.IdleTimeout, "idle-timeout", 2*time.Minute, "life of a session that asks nothing")
	return p.simulate(ctx, set, args, "ICWS simulator", "127.0.0.1:8018", &simulated{handler: sim})
}

func simulateHTCC(ctx context.Context, p process, args []string) error {
	sim := &htccsim.Server{}
	set := p.flags("simulate htcc", "[flags]; bjorn and cleo are agents, dana is a supervisor, and their names are the passwords")
	set.BoolVar(&sim.CSRF, "csrf", false, "demand the token against cross-site requests")
	set.BoolVar(&sim.VoiceInChannels, "voice-in-channels", false, "list voice among the channels")
	set.Func("dialect", "`form` of answers: statusCode, which real servers speak, or status, with paths without /api/v2 as well", func(text string) error {
		sim.Dialect = htccapi.Dialect(text)
		if sim.Dialect != htccapi.DialectStatus && sim.Dialect != htccapi.DialectStatusCode {
			return errors.New("want statusCode or status")
		}
		return nil
	})
	set.DurationVar(&sim.IdleTimeout, "idle-timeout", 30*time.Minute, "life of a session that asks nothing")
	return p.simulate(ctx, set, args, "HTCC simulator", "127.0.0.1:8090", &simulated{handler: sim})
}

// simulate reads the flags of a simulator, and serves it until ctx ends.
func (p process) simulate(ctx context.Context, set *flag.FlagSet, args []string, name, usual string, sim *simulated) error {
	address := set.String("listen", usual, "`address` to listen at")
	secure := set.String("tls", "", "`address` to listen at with HTTPS and a self-signed certificate as well")
	usage := set.Usage
	set.Usage = func() {
		usage()
		fmt.Fprintf(p.stderr, "More is set while it runs: GET http://%s/_sim/settings shows what, and POST with a JSON object sets it;\n"+
			"proxy/simulation/README.md says what each does, and what else the paths below /_sim/ are for.\n", usual)
	}
	err := parse(set, args, 0)
	if err != nil {
		return err
	}
	err = sim.listen(p, name, *address)
	if err == nil && *secure != "" {
		err = sim.listenTLS(p, name, *secure)
	}
	if err != nil {
		return errors.Join(err, sim.close())
	}
	for _, s := range sim.servers {
		fmt.Fprintf(p.stdout, "%s at %s\n", s.name, s.address())
	}
	return sim.serve(ctx)
}

// listen opens a listener for the simulator.
func (s *simulated) listen(p process, name, address string) error {
	opened, err := listen(name, address, s.handler, logger(p.stderr, config.LogLevel("warn")))
	if err == nil {
		s.servers = append(s.servers, opened)
	}
	return err
}

// listenTLS opens one that speaks HTTPS.
func (s *simulated) listenTLS(p process, name, address string) error {
	certificate, err := icwssim.SelfSigned("localhost", "127.0.0.1")
	if err != nil {
		return err
	}
	err = s.listen(p, name+" with TLS", address)
	if err == nil {
		s.servers[len(s.servers)-1].withTLS(certificate)
	}
	return err
}

// address returns where the simulator listens first.
func (s *simulated) address() string { return s.servers[0].address() }

// serve serves until ctx ends or a server fails.
func (s *simulated) serve(ctx context.Context) error {
	parts, ctx := errgroup.WithContext(ctx)
	for _, one := range s.servers {
		parts.Go(func() error { return one.run(ctx) })
	}
	err := parts.Wait()
	return errors.Join(err, s.close())
}

// close stops at once: a simulator has nothing to bring to an end.
func (s *simulated) close() error {
	s.handler.Close()
	var err error
	for _, one := range s.servers {
		err = errors.Join(err, one.close())
	}
	return err
}
