package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/redis/go-redis/v9"

	"portico/proxy/push"
	"portico/proxy/session"
)

// createClient keeps a new client, unless its owner has as many as may be.
var createClient = redis.NewScript(listeners + `
if clients >= tonumber(ARGV[5]) then return -1 end
local n = redis.call('HGET', KEYS[1], 'n') or '0'
redis.call('HSET', KEYS[2], 'turn', '1', 'version', '0', 'server', me, 'seen', n, 'sealed', ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[6])
redis.call('HSET', KEYS[1], 'c:' .. ARGV[3], string.format('%.0f ', now + ARGV[6]) .. me)
redis.call('PEXPIRE', KEYS[1], ARGV[7])
return n
`)

// Create implements push.Journal.
func (j journal) Create(ctx context.Context, owner string, r push.Record, most int) (last uint64, err error) {
	sealed, err := j.sealedRecord(owner, r)
	if err != nil {
		return 0, err
	}
	err = j.do(ctx, session.OpPut, "create a client", func(ctx context.Context) error {
		answer, err := j.on(ctx, createClient, []string{boardKey(owner), clientKey(owner, r.ID)},
			j.me, nameOf(r.ID), sealed, most, clientLife.Milliseconds(), boardLife.Milliseconds()).Result()
		if answer == int64(-1) {
			return push.ErrFull
		}
		if err != nil {
			return err
		}
		last, err = number(answer)
		return err
	})
	return last, err
}

// takeClient has a client served by who asks, and tells who did.
var takeClient = redis.NewScript(clock + `
local me, client = ARGV[2], redis.call('HMGET', KEYS[2], 'server', 'seen', 'sealed')
if not client[1] then return false end
local turn = redis.call('HINCRBY', KEYS[2], 'turn', 1)
redis.call('HSET', KEYS[2], 'server', me, 'version', '0')
redis.call('PEXPIRE', KEYS[2], ARGV[5])
redis.call('HSET', KEYS[1], 'c:' .. ARGV[3], string.format('%.0f ', now + ARGV[5]) .. me)
redis.call('PEXPIRE', KEYS[1], ARGV[6])
if client[1] ~= me then redis.call('PUBLISH', 'portico:replica:' .. client[1], 'm' .. turn .. ' ' .. ARGV[4]) end
local n = redis.call('HGET', KEYS[1], 'n') or '0'
return {turn, client[2], client[3], n, redis.call('XRANGE', KEYS[3], string.format('%.0f-0', client[2] + 1), '+')}
`)

// Take implements push.Journal.
func (j journal) Take(ctx context.Context, owner, id string, connecting bool) (r push.Record, missed push.Entries, err error) {
	sealed, err := j.sealed(note{Owner: owner, Client: id, Connecting: connecting})
	if err != nil {
		return push.Record{}, push.Entries{}, err
	}
	err = j.do(ctx, session.OpPut, "take a client", func(ctx context.Context) error {
		answer, err := j.on(ctx, takeClient, []string{boardKey(owner), clientKey(owner, id), eventsKey(owner)},
			j.me, nameOf(id), sealed, clientLife.Milliseconds(), boardLife.Milliseconds()).Slice()
		if err != nil {
			return unknownClient(err)
		}
		r, err = j.record(owner, id, answer)
		if err == nil {
			missed, err = j.entries(owner, answer[3], answer[4])
		}
		if err != nil { // nor could it be tomorrow, so nobody waits for that
			return fmt.Errorf("%w: %w", push.ErrUnknown, err)
		}
		return nil
	})
	return r, missed, err
}

// record reads what takeClient returned of a record.
func (j journal) record(owner, id string, answer []any) (push.Record, error) {
	sealed, _ := answer[2].(string)
	text, err := j.seal.open([]byte(sealed), clientKey(owner, id))
	if err != nil {
		return push.Record{}, err
	}
	var r push.Record
	err = json.Unmarshal(text, &r)
	if err != nil {
		return push.Record{}, fmt.Errorf("read a client: %w", err)
	}
	r.Turn, err = number(answer[0])
	if err != nil {
		return push.Record{}, err
	}
	r.Seen, err = number(answer[1])
	return r, err
}

// saveClient replaces the record of a client in its turn, and begins its life anew.
var saveClient = redis.NewScript(clock + `
local client = redis.call('HMGET', KEYS[2], 'turn', 'version')
if client[1] ~= ARGV[3] then return 0 end
if tonumber(client[2]) < tonumber(ARGV[4]) then redis.call('HSET', KEYS[2], 'version', ARGV[4], 'seen', ARGV[5], 'sealed', ARGV[6]) end
redis.call('PEXPIRE', KEYS[2], ARGV[8])
redis.call('HSET', KEYS[1], 'c:' .. ARGV[7], string.format('%.0f ', now + ARGV[8]) .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[9])
return 1
`)

// Save implements push.Journal.
func (j journal) Save(ctx context.Context, owner string, r push.Record) error {
	sealed, err := j.sealedRecord(owner, r)
	if err != nil {
		return err
	}
	return j.do(ctx, session.OpPut, "save a client", func(ctx context.Context) error {
		saved, err := j.on(ctx, saveClient, []string{boardKey(owner), clientKey(owner, r.ID)}, j.me, r.Turn, r.Version, r.Seen, sealed,
			nameOf(r.ID), clientLife.Milliseconds(), boardLife.Milliseconds()).Bool()
		if err == nil && !saved {
			err = push.ErrUnknown
		}
		return err
	})
}

// renewClients begins the lives of clients anew, and returns which are served elsewhere, by their numbers.
var renewClients = redis.NewScript(clock + `
local me, lost = ARGV[2], {redis.call('HGET', KEYS[1], 'n') or '0'}
for i = 2, #KEYS do
	local name, turn = ARGV[2 * i + 1], ARGV[2 * i + 2]
	if redis.call('HGET', KEYS[i], 'turn') == turn then
		redis.call('PEXPIRE', KEYS[i], ARGV[3])
		redis.call('HSET', KEYS[1], 'c:' .. name, string.format('%.0f ', now + ARGV[3]) .. me)
	else
		lost[#lost + 1] = i - 2
	end
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return lost
`)

// Renew implements push.Journal.
func (j journal) Renew(ctx context.Context, owner string, turns map[string]uint64) (last uint64, lost []string, err error) {
	ids, keys := make([]string, 0, len(turns)), []string{boardKey(owner)}
	args := []any{j.me, clientLife.Milliseconds(), boardLife.Milliseconds()}
	for id, turn := range turns {
		ids, keys, args = append(ids, id), append(keys, clientKey(owner, id)), append(args, nameOf(id), turn)
	}
	err = j.do(ctx, session.OpPut, "renew clients", func(ctx context.Context) error {
		answer, err := j.on(ctx, renewClients, keys, args...).Slice()
		if err != nil {
			return err
		}
		for _, at := range answer[1:] {
			i, err := number(at)
			if err != nil || i >= uint64(len(ids)) {
				return fmt.Errorf("client %v was lost of %d", at, len(ids))
			}
			lost = append(lost, ids[i])
		}
		last, err = number(answer[0])
		return err
	})
	return last, lost, err
}

// removeClient forgets a client in its turn.
var removeClient = redis.NewScript(clock + `
if redis.call('HGET', KEYS[2], 'turn') ~= ARGV[3] then return 0 end
redis.call('HDEL', KEYS[1], 'c:' .. ARGV[2])
return redis.call('DEL', KEYS[2])
`)

// Remove implements push.Journal.
func (j journal) Remove(ctx context.Context, owner, id string, turn uint64) error {
	return j.do(ctx, session.OpDelete, "remove a client", func(ctx context.Context) error {
		return j.on(ctx, removeClient, []string{boardKey(owner), clientKey(owner, id)}, nameOf(id), turn).Err()
	})
}

func (j journal) sealedRecord(owner string, r push.Record) ([]byte, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	return j.seal.seal(text, clientKey(owner, r.ID)), nil
}

// unknownClient is what no answer of takeClient means.
func unknownClient(err error) error {
	if notFound(err) == session.ErrNotFound {
		return push.ErrUnknown
	}
	return err
}
