package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"portico/config"
	"portico/proxy/gateway"
	"portico/proxy/session"
	"portico/proxy/store"
	"portico/proxy/upstream"
)

// sharedStore returns the store that replicas share, nil if there is none.
func sharedStore(cfg *config.Config, reg prometheus.Registerer, log *slog.Logger) (*store.Valkey, error) {
	if cfg.Store.Kind != config.StoreValkey {
		return nil, nil
	}
	keys, err := cfg.Store.Keys()
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	encrypted, err := cfg.Store.TLSConfig()
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return store.New(store.Settings{
		Addresses: cfg.Store.Addresses(), Cluster: cfg.Store.Cluster, User: cfg.Store.User, Password: cfg.Store.Password.Reveal(),
		TLS: encrypted, Timeout: cfg.Store.Timeout, Keys: keys, Metrics: session.NewMetrics(reg), Log: log,
	})
}

// share says where the gateway keeps sessions: in memory, or in the store that replicas share, with what
// else they do.
func (h *house) share(reg prometheus.Registerer, s *gateway.Settings) {
	if h.store == nil {
		s.Store = session.Observe(session.NewMemory(), reg)
		return
	}
	s.Store, s.Tries = h.store.Sessions(), h.store.Tries()
	s.Fleet = &gateway.Fleet{Leases: h.store.Leases(), Bell: h.store.Bell(), Shelf: h.store.Shelf(), ProofKeys: h.store.ProofKeys(), Up: h.store.Up, Losses: h.store.Losses}
}

// turnOf has the log-ins at a site keep one pace at all replicas; nil without a store that they share.
func turnOf(shared *store.Valkey, site string) upstream.LoginTurn {
	if shared == nil {
		return nil
	}
	pace := shared.Pace()
	return func(ctx context.Context, every time.Duration, callers int) (time.Duration, error) {
		return pace.Next(ctx, "logins/"+site, every, callers)
	}
}

// runStore probes the shared store until ctx ends, and ends the connections to it.
func (h *house) runStore(ctx context.Context) error {
	if h.store == nil {
		return nil
	}
	defer func() { _ = h.store.Close() }()
	return h.store.Run(ctx)
}
