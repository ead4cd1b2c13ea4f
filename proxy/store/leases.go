package store

import (
	"context"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"portico/proxy/session"
)

// leases implements session.Leases.
type leases struct{ *Valkey }

func leaseKey(name string) string { return "portico:{" + nameOf(name) + "}:lease" }

// fencesKept is how long the number of a lease is remembered after it ran out. Beyond that, or when the
// store has lost its keys, numbers go on from the server's clock, which is further.
const fencesKept = 24 * time.Hour

// take gives the lease to who asks unless another holds it, and returns whether it did and its number.
var take = redis.NewScript(clock + `
local lease = redis.call('HMGET', KEYS[1], 'holder', 'until', 'fence')
local runs = lease[1] and now < tonumber(lease[2])
if runs and lease[1] ~= ARGV[2] then return {0, lease[3], lease[2] - now} end
local fence = lease[3]
if not runs then fence = string.format('%.0f', math.max(now, (tonumber(fence) or 0) + 1)) end
redis.call('HSET', KEYS[1], 'holder', ARGV[2], 'until', string.format('%.0f', now + ARGV[3]), 'fence', fence)
redis.call('PEXPIRE', KEYS[1], ARGV[3] + ARGV[4])
return {1, fence, 0}
`)

// Take implements session.Leases.
func (l leases) Take(ctx context.Context, name, holder string, life time.Duration) (session.Lease, error) {
	var lease session.Lease
	err := l.do(ctx, session.OpPut, "take a lease", func(ctx context.Context) error {
		answer, err := l.run(ctx, take, leaseKey(name), holder, life.Milliseconds(), fencesKept.Milliseconds()).Slice()
		if err != nil {
			return err
		}
		fence, _ := answer[1].(string)
		left, _ := answer[2].(int64)
		lease.Held, lease.Left = answer[0] == int64(1), time.Duration(left)*time.Millisecond
		lease.Fence, err = strconv.ParseUint(fence, 10, 64)
		return err
	})
	return lease, err
}

// release ends the lease and keeps its number.
var release = redis.NewScript(clock + `
if redis.call('HGET', KEYS[1], 'holder') == ARGV[2] then redis.call('HSET', KEYS[1], 'until', '0') end
return 1
`)

// Release implements session.Leases.
func (l leases) Release(ctx context.Context, name, holder string) error {
	return l.do(ctx, session.OpDelete, "release a lease", func(ctx context.Context) error {
		return l.run(ctx, release, leaseKey(name), holder).Err()
	})
}
