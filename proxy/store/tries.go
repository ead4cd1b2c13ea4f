package store

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"portico/proxy/session"
	"portico/proxy/throttle"
)

// tries implements throttle.Store. It is bounded by time alone: what does not count any more goes.
type tries struct{ *Valkey }

func failuresKey(key string) string { return "portico:{" + nameOf(key) + "}:failures" }

func succeededKey(key string) string { return "portico:{" + nameOf(key) + "}:succeeded" }

// wait returns the milliseconds until a key is below its limit. The list has its newest failure last.
var wait = redis.NewScript(clock + `
local oldest = redis.call('LINDEX', KEYS[1], -tonumber(ARGV[2]))
if not oldest then return 0 end
return math.max(0, oldest + ARGV[3] - now)
`)

// Wait implements throttle.Store.
func (t tries) Wait(ctx context.Context, key string, limit throttle.Limit) (time.Duration, error) {
	var left int64
	err := t.do(ctx, session.OpGet, "count failures", func(ctx context.Context) error {
		var err error
		left, err = t.run(ctx, wait, failuresKey(key), limit.Failures, limit.Within.Milliseconds()).Int64()
		return err
	})
	return time.Duration(left) * time.Millisecond, err
}

// fail counts a failure and keeps no more than the limit needs.
var fail = redis.NewScript(clock + `
redis.call('RPUSH', KEYS[1], string.format('%.0f', now))
redis.call('LTRIM', KEYS[1], -tonumber(ARGV[2]), -1)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
`)

// Fail implements throttle.Store.
func (t tries) Fail(ctx context.Context, key string, limit throttle.Limit) error {
	return t.do(ctx, session.OpPut, "count a failure", func(ctx context.Context) error {
		return t.run(ctx, fail, failuresKey(key), limit.Failures, limit.Within.Milliseconds()).Err()
	})
}

// remember notes until when a key is remembered.
var remember = redis.NewScript(clock + `
redis.call('SET', KEYS[1], string.format('%.0f', now + ARGV[2]), 'PX', ARGV[2])
return 1
`)

// Succeed implements throttle.Store.
func (t tries) Succeed(ctx context.Context, key string, life time.Duration) error {
	return t.do(ctx, session.OpPut, "remember a success", func(ctx context.Context) error {
		return t.run(ctx, remember, succeededKey(key), life.Milliseconds()).Err()
	})
}

var remembered = redis.NewScript(clock + `
local ends = redis.call('GET', KEYS[1])
if ends and now < tonumber(ends) then return 1 end
return 0
`)

// Succeeded implements throttle.Store.
func (t tries) Succeeded(ctx context.Context, key string) (bool, error) {
	var known bool
	err := t.do(ctx, session.OpGet, "look for a success", func(ctx context.Context) error {
		var err error
		known, err = t.run(ctx, remembered, succeededKey(key)).Bool()
		return err
	})
	return known, err
}
