package session

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Observed is a Store whose operations are counted by how long they take and how they end.
type Observed struct {
	*Metrics
	store Store
}

// Observe returns a store that registers its numbers with reg; nil registers nowhere. A store in memory
// is always up.
func Observe(store Store, reg prometheus.Registerer) *Observed {
	return &Observed{store: store, Metrics: NewMetrics(reg)}
}

// Get implements Store.
func (o *Observed) Get(ctx context.Context, id string) (Session, error) {
	began := time.Now()
	s, err := o.store.Get(ctx, id)
	o.Ended(OpGet, began, err)
	return s, err
}

// ByLogin implements Store.
func (o *Observed) ByLogin(ctx context.Context, login string) (Session, error) {
	began := time.Now()
	s, err := o.store.ByLogin(ctx, login)
	o.Ended(OpGet, began, err)
	return s, err
}

// Put implements Store.
func (o *Observed) Put(ctx context.Context, s Session, life time.Duration) error {
	began := time.Now()
	err := o.store.Put(ctx, s, life)
	o.Ended(OpPut, began, err)
	return err
}

// Create implements Store.
func (o *Observed) Create(ctx context.Context, s Session, life time.Duration) (Session, error) {
	began := time.Now()
	kept, err := o.store.Create(ctx, s, life)
	o.Ended(OpPut, began, err)
	return kept, err
}

// Update implements Store.
func (o *Observed) Update(ctx context.Context, id string, change func(*Session)) (Session, error) {
	began := time.Now()
	s, err := o.store.Update(ctx, id, change)
	o.Ended(OpPut, began, err)
	return s, err
}

// Touch implements Store.
func (o *Observed) Touch(ctx context.Context, id string, life time.Duration) error {
	began := time.Now()
	err := o.store.Touch(ctx, id, life)
	o.Ended(OpPut, began, err)
	return err
}

// Expire implements Store.
func (o *Observed) Expire(ctx context.Context, id string) (bool, error) {
	began := time.Now()
	ours, err := o.store.Expire(ctx, id)
	o.Ended(OpDelete, began, err)
	return ours, err
}

// Delete implements Store.
func (o *Observed) Delete(ctx context.Context, id string) error {
	began := time.Now()
	err := o.store.Delete(ctx, id)
	o.Ended(OpDelete, began, err)
	return err
}

// Len implements Store.
func (o *Observed) Len(ctx context.Context) (int, error) {
	began := time.Now()
	n, err := o.store.Len(ctx)
	o.Ended(OpScan, began, err)
	return n, err
}
