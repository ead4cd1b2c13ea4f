package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"golang.org/x/sync/errgroup"

	"portico/config"
	"portico/proxy/push"
)

// serve serves agents until ctx ends.
func serve(ctx context.Context, p process, args []string) error {
	signal.Ignore(syscall.SIGPIPE) // else the end of who reads the log would be ours, and sessions would stay open at the sites
	set := p.flags("serve", "--config FILE")
	file := set.String("config", "", "the settings `file`")
	err := parse(set, args, 0)
	if err != nil {
		return err
	}
	if *file == "" {
		fmt.Fprintln(p.stderr, "portico serve: --config names the settings file")
		return errUsage
	}
	text, err := config.Read(ctx, *file)
	if err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	cfg, err := config.Parse(*file, text, p.environ)
	if err != nil {
		fmt.Fprintln(p.stderr, err)
		return errors.New("the settings are not usable")
	}
	books := newBooks(p.stdout, p.stderr)
	defer books.flush()
	log := books.log
	for _, warning := range cfg.Warnings {
		log.Warn("settings: " + warning)
	}
	keepWithin(memlimit.FromCgroup, p.environ, cfg.Cache.MaxBytes, log)
	tellOpenFiles(openFiles(), cfg, log)
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	running, err := open(cfg, books)
	if err != nil {
		return err
	}
	log.Info("serving", "listen", running.door.address(), "admin", running.admin.address(), "version", version)
	reloader := &reloader{file: *file, environ: p.environ, seen: text, running: running, log: log}
	parts, ctx := errgroup.WithContext(ctx)
	parts.Go(func() error { return reloader.run(ctx, hangups) })
	parts.Go(func() error { return running.run(ctx) })
	return parts.Wait()
}

// logger writes one JSON object a line, while who logs waits: nobody depends on a simulator.
func logger(w io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
}

// A running is a house with its listeners open.
type running struct {
	current atomic.Pointer[config.Config]
	level   *slog.LevelVar // of log
	log     *slog.Logger
	house   *house
	door    *server
	admin   *server
	clients []clientTLS
	after   func(time.Duration) <-chan time.Time // time.After, but in tests
}

// settings returns those of now. Nobody changes them.
func (r *running) settings() *config.Config { return r.current.Load() }

// adopt puts settings into effect that differ from those of now in what needs no restart.
func (r *running) adopt(cfg *config.Config) {
	r.level.Set(cfg.Log.Level.Level())
	r.house.adopt(cfg)
	r.door.strangers.trust(cfg.TrustedProxies)
	r.current.Store(cfg)
}

// mostOperators is how many connections may wait at the admin listener, for a request or to be read: whoever reaches it
// may connect, and files are agents' too. It is many times what an operator's tools keep.
const mostOperators = 256

// open opens the listeners and builds the house behind them. The listeners come first, since the
// public URL may follow from the port they got.
func open(cfg *config.Config, books books) (*running, error) {
	log, level := books.log, books.level
	level.Set(cfg.Log.Level.Level())
	door, err := listen("door", cfg.Listen, nil, log)
	if err != nil {
		return nil, err
	}
	admin, err := listen("admin", cfg.Admin, nil, log)
	if err != nil {
		_ = door.listener.Close()
		return nil, err
	}
	err = errors.Join(door.secure(cfg.TLS, log), admin.secure(cfg.AdminTLS, log))
	if err != nil {
		_ = door.listener.Close()
		_ = admin.listener.Close()
		return nil, err
	}
	door.bound(cfg.Limits, cfg.TrustedProxies)
	admin.admit(newStrangers(mostOperators, mostOperators, nil))
	ends := newCertificateEnds(books.reg)
	for _, one := range []*server{door, admin} {
		if one.certificates != nil {
			one.certificates.count(ends)
		}
	}
	clients := clientTLSOf(cfg)
	for _, one := range clients {
		one.count(ends)
	}
	reached := *cfg
	if reached.PublicURL == "" {
		reached.PublicURL = reached.PublicURLAt(door.address())
	}
	door.returns = push.NewReturns(door.listener.Addr())
	house, err := build(&reached, books, door.returns)
	if err != nil {
		_ = door.listener.Close()
		_ = admin.listener.Close()
		return nil, err
	}
	door.http.Handler, admin.http.Handler = house, house.admin
	door.hasten(house.quick())
	r := &running{level: level, log: log, house: house, door: door, admin: admin, clients: clients, after: time.After}
	r.current.Store(cfg)
	return r, nil
}

// run serves until ctx ends or a part fails, then stops in order: not ready, no new requests, those
// under way to their end, sessions ended here and at the sites, and the operator's door last.
func (r *running) run(ctx context.Context) error {
	// The rooms live a little longer than ctx: requests under way still need them.
	rooms, stopRooms := context.WithCancel(context.WithoutCancel(ctx))
	defer stopRooms()
	parts, failed := errgroup.WithContext(rooms)
	parts.Go(func() error { return r.house.gateway.Run(rooms) })
	parts.Go(func() error { return r.house.push.Run(rooms) })
	parts.Go(func() error { return r.house.runStore(rooms) })
	parts.Go(func() error { return r.door.run(rooms) })
	parts.Go(func() error { return r.admin.run(rooms) })
	select {
	case <-ctx.Done():
		r.drain(failed)
	case <-failed.Done():
	}
	late := r.stop()
	stopRooms()
	return errors.Join(parts.Wait(), late)
}

// drain tells load balancers to send nothing more while everything is still served. Connections are
// closed by answers alone, never while they are idle: a request may be on its way.
func (r *running) drain(ctx context.Context) {
	delay := r.settings().DrainDelay
	r.house.draining.Store(true)
	r.log.Info("stopping", "drain_delay_s", delay.Seconds())
	r.house.delays.End()
	select {
	case <-r.after(delay):
	case <-ctx.Done():
	}
}

// endsWithin is what is left of the grace, at most, for ending sessions at the sites, when requests are
// not over before. Half of a short grace is.
const endsWithin = 5 * time.Second

// tracesWithin is how long a stop waits for a collector to take the last traces: agents and sites are done with by then.
const tracesWithin = 2 * time.Second

// stop ends everything within the settings' grace.
func (r *running) stop() error {
	grace := r.settings().Grace
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	requests, cancelRequests := context.WithTimeout(ctx, grace-min(endsWithin, grace/2))
	defer cancelRequests()
	released := r.releaseOnceRefused()
	late := r.door.stop(requests)
	select {
	case <-released:
	case <-requests.Done():
	}
	r.house.gateway.Close(ctx)
	traces, cancelTraces := context.WithTimeout(ctx, tracesWithin)
	defer cancelTraces()
	err := r.house.tracer.Close(traces)
	if err != nil {
		r.log.Warn("traces could not be sent at the end", "cause", err.Error())
	}
	return errors.Join(late, r.admin.stop(ctx))
}

// releaseOnceRefused lets go of held connects, sockets and streams, which stopping would wait for, as
// soon as the door takes no new connections: who is let go comes back at once, and is to be served
// elsewhere. The channel is closed when all are gone.
func (r *running) releaseOnceRefused() <-chan struct{} {
	released := make(chan struct{})
	r.door.http.RegisterOnShutdown(func() {
		defer close(released)
		r.house.gateway.ReleaseNative()
		r.house.push.Close()
	})
	return released
}
