package main

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"portico/config"
	"portico/proxy/gateway"
	"portico/proxy/session"
	"portico/proxy/store"
)

// share says where the gateway keeps sessions: in memory, or in the store that replicas share, with what
// else they do.
func (h *house) share(cfg *config.Config, reg prometheus.Registerer, s *gateway.Settings) error {
	if cfg.Store.Kind != config.StoreValkey {
		s.Store = session.Observe(session.NewMemory(), reg)
		return nil
	}
	keys, err := cfg.Store.Keys()
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	encrypted, err := cfg.Store.TLSConfig()
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	h.store, err = store.New(store.Settings{
		Addresses: cfg.Store.Addresses(), Cluster: cfg.Store.Cluster, User: cfg.Store.User, Password: cfg.Store.Password.Reveal(),
		TLS: encrypted, Timeout: cfg.Store.Timeout, Keys: keys, Metrics: session.NewMetrics(reg),
	})
	if err != nil {
		return err
	}
	s.Store, s.Tries = h.store.Sessions(), h.store.Tries()
	s.Fleet = &gateway.Fleet{Leases: h.store.Leases(), ProofKeys: h.store.ProofKeys(), Up: h.store.Up}
	return nil
}

// runStore probes the shared store until ctx ends, and ends the connections to it.
func (h *house) runStore(ctx context.Context) error {
	if h.store == nil {
		return nil
	}
	defer func() { _ = h.store.Close() }()
	return h.store.Run(ctx)
}
