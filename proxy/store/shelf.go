package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"portico/cache"
	"portico/proxy/session"
)

// shelf implements cache.Shelf. Each copy is one key, and so are the epochs of an owner.
type shelf struct{ *Valkey }

func copyKey(name string) string { return "portico:{" + nameOf(name) + "}:copy" }

func epochsKey(owner string) string { return "portico:{" + nameOf(owner) + "}:epochs" }

// epochsKept is how long it is remembered that there was a purge, once nobody asks: far longer than any copy of before.
const epochsKept = 24 * time.Hour

// fetchCopy returns version and epoch of a copy, and its text unless the version is the one known.
var fetchCopy = redis.NewScript(clock + `
local copy = redis.call('HMGET', KEYS[1], 'until', 'version', 'epoch')
if not copy[1] or now >= tonumber(copy[1]) then return false end
local text = ''
if copy[2] ~= ARGV[2] then text = redis.call('HGET', KEYS[1], 'sealed') end
return {copy[2], copy[3], text}
`)

// Get implements cache.Shelf.
func (s shelf) Get(ctx context.Context, name, known string) (cache.Copy, error) {
	var found cache.Copy
	none := false
	err := s.do(ctx, session.OpGet, "get a copy", func(ctx context.Context) error {
		answer, err := s.run(ctx, fetchCopy, copyKey(name), known).StringSlice()
		none = errors.Is(err, redis.Nil)
		if none {
			return nil
		}
		if err != nil {
			return err
		}
		found, err = s.copyOf(name, answer)
		return err
	})
	if none {
		return cache.Copy{}, cache.ErrNoCopy
	}
	return found, err
}

// copyOf reads what the script answered.
func (s shelf) copyOf(name string, answer []string) (cache.Copy, error) {
	epoch, err := strconv.ParseInt(answer[1], 10, 64)
	if err != nil || answer[2] == "" {
		return cache.Copy{Version: answer[0], Epoch: epoch}, err
	}
	text, err := s.seal.open([]byte(answer[2]), copyKey(name))
	return cache.Copy{Text: text, Version: answer[0], Epoch: epoch}, err
}

// putCopy keeps a copy unless one of a later epoch lives.
var putCopy = redis.NewScript(clock + `
local copy = redis.call('HMGET', KEYS[1], 'until', 'epoch')
if copy[1] and now < tonumber(copy[1]) and tonumber(copy[2]) > tonumber(ARGV[4]) then return 0 end
redis.call('HSET', KEYS[1], 'sealed', ARGV[2], 'version', ARGV[3], 'epoch', ARGV[4], 'until', string.format('%.0f', now + ARGV[5]))
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1
`)

// Put implements cache.Shelf.
func (s shelf) Put(ctx context.Context, name string, c cache.Copy, life time.Duration) error {
	return s.do(ctx, session.OpPut, "put a copy", func(ctx context.Context) error {
		sealed := string(s.seal.seal(c.Text, copyKey(name)))
		return s.run(ctx, putCopy, copyKey(name), sealed, c.Version, c.Epoch, life.Milliseconds()).Err()
	})
}

var renewCopy = redis.NewScript(clock + `
local copy = redis.call('HMGET', KEYS[1], 'until', 'version', 'epoch')
if not copy[1] or now >= tonumber(copy[1]) or copy[2] ~= ARGV[2] or copy[3] ~= ARGV[3] then return 0 end
redis.call('HSET', KEYS[1], 'until', string.format('%.0f', now + ARGV[4]))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
`)

// Renew implements cache.Shelf.
func (s shelf) Renew(ctx context.Context, name, version string, epoch int64, life time.Duration) (bool, error) {
	var renewed bool
	err := s.do(ctx, session.OpPut, "renew a copy", func(ctx context.Context) error {
		var err error
		renewed, err = s.run(ctx, renewCopy, copyKey(name), version, epoch, life.Milliseconds()).Bool()
		return err
	})
	return renewed, err
}

// beginEpoch gives a part the next number, which is the server's clock where that is further.
var beginEpoch = redis.NewScript(clock + `
local epochs, next = redis.call('HGETALL', KEYS[1]), now
for i = 2, #epochs, 2 do next = math.max(next, epochs[i] + 1) end
redis.call('HSET', KEYS[1], ARGV[2], string.format('%.0f', next))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return string.format('%.0f', next)
`)

// Purge implements cache.Shelf.
func (s shelf) Purge(ctx context.Context, owner, part string) (int64, error) {
	var epoch int64
	err := s.do(ctx, session.OpPut, "begin an epoch", func(ctx context.Context) error {
		var err error
		epoch, err = s.run(ctx, beginEpoch, epochsKey(owner), part, epochsKept.Milliseconds()).Int64()
		return err
	})
	return epoch, err
}

// knowEpochs returns the epochs of an owner, and takes those that the caller knows and are later.
var knowEpochs = redis.NewScript(`
for i = 3, #ARGV, 2 do
  local had = redis.call('HGET', KEYS[1], ARGV[i])
  if not had or tonumber(had) < tonumber(ARGV[i + 1]) then redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('HGETALL', KEYS[1])
`)

// Epochs implements cache.Shelf.
func (s shelf) Epochs(ctx context.Context, owner string, known map[string]int64) (map[string]int64, error) {
	epochs, args := map[string]int64{}, []any{epochsKept.Milliseconds()}
	for part, epoch := range known {
		args = append(args, part, epoch)
	}
	err := s.do(ctx, session.OpGet, "get epochs", func(ctx context.Context) error {
		found, err := s.run(ctx, knowEpochs, epochsKey(owner), args...).StringSlice()
		for i := 0; i+1 < len(found); i += 2 {
			epoch, wrong := strconv.ParseInt(found[i+1], 10, 64)
			if wrong != nil {
				return fmt.Errorf("read an epoch: %w", wrong)
			}
			epochs[found[i]] = epoch
		}
		return err
	})
	return epochs, err
}
