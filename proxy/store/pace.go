package store

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"portico/proxy/session"
	"portico/proxy/throttle"
)

// pace implements throttle.Pace.
type pace struct{ *Valkey }

func paceKey(key string) string { return "portico:{" + nameOf(key) + "}:pace" }

// paceKept is how long it is remembered when the next may begin, beyond that.
const paceKept = time.Minute

// begin returns 0 to who may begin, else the time until it is worth asking again. It counts in microseconds,
// since a site may be paced at thousands a second.
var begin = redis.NewScript(clock + `
now = time[1] * 1000000 + time[2] + ARGV[1] * 1000
local every = tonumber(ARGV[2])
local paced = redis.call('HMGET', KEYS[1], 'free', 'awaited')
local free, awaited = tonumber(paced[1]) or 0, tonumber(paced[2]) or 0
local urgent = tonumber(ARGV[4])
if urgent == 0 then free = math.max(free, awaited) end
if now < free then
	if urgent > 0 then redis.call('HSET', KEYS[1], 'awaited', string.format('%.0f', free + every + ARGV[3])) end
	return free - now
end
redis.call('HSET', KEYS[1], 'free', string.format('%.0f', now + every))
if urgent > 1 then redis.call('HSET', KEYS[1], 'awaited', string.format('%.0f', now + every + ARGV[3])) end
redis.call('PEXPIRE', KEYS[1], math.ceil(every / 1000) + ARGV[5])
return 0
`)

// Next implements throttle.Pace.
func (p pace) Next(ctx context.Context, key string, every time.Duration, urgent int) (time.Duration, error) {
	var wait int64
	err := p.do(ctx, session.OpPut, "ask for a turn", func(ctx context.Context) error {
		var err error
		wait, err = p.run(ctx, begin, paceKey(key), every.Microseconds(), throttle.PaceSlack.Microseconds(), urgent, paceKept.Milliseconds()).Int64()
		return err
	})
	return time.Duration(wait) * time.Microsecond, err
}
