package store

import (
	"context"
	"sync/atomic"

	"github.com/redis/go-redis/v9"

	"portico/proxy/session"
)

// scanStep is how many keys the server looks at in one go, about, so that it is never busy for long.
const scanStep = 1000

// Len implements session.Store, by going through all keys of all nodes: it is for operators, not for
// every request. A session whose life is over counts until it is forgotten.
func (s sessions) Len(ctx context.Context) (int, error) {
	var n atomic.Int64
	err := s.do(ctx, session.OpScan, "count sessions", func(ctx context.Context) error {
		return s.eachNode(ctx, func(ctx context.Context, node redis.UniversalClient) error {
			keys := node.Scan(ctx, 0, recordKey("*"), scanStep).Iterator()
			for keys.Next(ctx) {
				n.Add(1)
			}
			return keys.Err()
		})
	})
	return int(n.Load()), err
}

// eachNode calls f for every node that keys are written to.
func (v *Valkey) eachNode(ctx context.Context, f func(context.Context, redis.UniversalClient) error) error {
	cluster, ok := v.client.(*redis.ClusterClient)
	if !ok {
		return f(ctx, v.client)
	}
	return cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error { return f(ctx, node) })
}
