package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"portico/config"
)

// serve serves agents until ctx ends.
func serve(ctx context.Context, p process, args []string) error {
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
	cfg, err := config.Load(*file, p.environ)
	if err != nil {
		fmt.Fprintln(p.stderr, err)
		return errors.New("the settings are not usable")
	}
	thrift(p.environ)
	log := logger(p.stdout, cfg.Log.Level)
	for _, warning := range cfg.Warnings {
		log.Warn("settings: " + warning)
	}
	running, err := open(cfg, log)
	if err != nil {
		return err
	}
	log.Info("serving", "listen", running.door.address(), "admin", running.admin.address(), "version", version)
	return running.run(ctx)
}

// thrift has garbage collected at half of Go's usual growth, unless the environment says otherwise.
// What Portico holds is mostly connections that wait, so room for as much garbage again is room that
// nothing uses: with 5,000 agents, 57 KB for each instead of 61, and no more processor time at 1,000
// events a second (`make bench-push`).
func thrift(environ []string) {
	if !slices.ContainsFunc(environ, func(variable string) bool { return strings.HasPrefix(variable, "GOGC=") }) {
		debug.SetGCPercent(50)
	}
}

// logger writes one JSON object a line.
func logger(w io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
}

// A running is a house with its listeners open.
type running struct {
	cfg   *config.Config
	log   *slog.Logger
	house *house
	door  *server
	admin *server
}

// open opens the listeners and builds the house behind them. The listeners come first, since the
// public URL may follow from the port they got.
func open(cfg *config.Config, log *slog.Logger) (*running, error) {
	door, err := listen("door", cfg.Listen, nil, log)
	if err != nil {
		return nil, err
	}
	admin, err := listen("admin", cfg.Admin, nil, log)
	if err != nil {
		_ = door.listener.Close()
		return nil, err
	}
	door.bound(cfg.Limits, cfg.TrustedProxies)
	err = errors.Join(door.secure(cfg.TLS, log), admin.secure(cfg.AdminTLS, log))
	if err != nil {
		_ = door.listener.Close()
		_ = admin.listener.Close()
		return nil, err
	}
	if cfg.PublicURL == "" {
		cfg.PublicURL = cfg.PublicURLAt(door.address())
	}
	house, err := build(cfg, log)
	if err != nil {
		_ = door.listener.Close()
		_ = admin.listener.Close()
		return nil, err
	}
	door.http.Handler, admin.http.Handler = house.door, house.admin
	return &running{cfg: cfg, log: log, house: house, door: door, admin: admin}, nil
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

// drain tells load balancers to send nothing more while everything is still served.
func (r *running) drain(ctx context.Context) {
	r.log.Info("stopping", "drain_delay_s", r.cfg.DrainDelay.Seconds())
	r.house.draining.Store(true)
	r.door.http.SetKeepAlivesEnabled(false)
	select {
	case <-time.After(r.cfg.DrainDelay):
	case <-ctx.Done():
	}
}

// stop ends everything within the settings' grace.
func (r *running) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), r.cfg.Grace)
	defer cancel()
	r.house.push.Close() // lets go of held connects, or stopping would wait for them
	r.house.gateway.ReleaseNative()
	late := r.door.stop(ctx)
	r.house.gateway.Close(ctx)
	return errors.Join(late, r.admin.stop(ctx))
}
