package store

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// A server that was started anew with nothing, or with an older copy of what it had, counts probes again from there, and
// so does one that took another's place before it had everything. Whoever finds fewer than before has all the others
// know: each would find only the loss of probes that were not made good by others since.

// counted is what the server has counted.
type counted struct {
	all    int64 // probes of all replicas
	mine   int64 // of this one
	losses int64 // found by any
}

// countProbe counts a probe, and a loss if there were more probes before, unless somebody has counted it.
var countProbe = redis.NewScript(`
local all, mine, losses = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local now = {redis.call('HINCRBY', KEYS[1], 'n', 1), redis.call('HINCRBY', KEYS[2], 'n', 1), tonumber(redis.call('HGET', KEYS[1], 'losses') or 0)}
if (now[1] <= all or now[2] <= mine) and now[3] == losses then now[3] = redis.call('HINCRBY', KEYS[1], 'losses', 1) end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return now
`)

// probesKept is how long the server keeps their number: longer than a session that nobody uses.
const probesKept = 48 * time.Hour

// probe writes, since a replica of the store's own, or one that is full, answers reads. It returns what the server has
// counted.
func (v *Valkey) probe(ctx context.Context) (counted, error) {
	ctx, cancel := context.WithTimeout(ctx, v.timeout)
	defer cancel()
	v.dialing.failed.Store(nil)
	keys, was := []string{"portico:{probe}:count", "portico:{probe}:" + v.me}, v.counted
	n, err := v.on(ctx, countProbe, keys, was.all, was.mine, was.losses, probesKept.Milliseconds()).Int64Slice()
	if err != nil {
		return counted{}, v.dialing.explain(err)
	}
	return counted{n[0], n[1], n[2]}, nil
}

// count compares what the server has counted with that of before.
func (v *Valkey) count(is counted) {
	was, first := v.counted, v.counted == counted{}
	if is.all <= was.all || is.mine <= was.mine || is.losses != was.losses && !first {
		v.losses.Add(1)
		v.metrics.Lost()
		v.outage.Log.Error("the session store has lost what was written to it last, or everything: agents may have to log in again")
	}
	v.counted = is
}
