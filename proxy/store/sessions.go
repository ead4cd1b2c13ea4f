package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"portico/proxy/session"
)

// sessions implements session.Store.
//
// The record of an agent stands under the login name, so that every change of it is one script on one
// key. Under the id stands the name of that record: written before the record and outliving it, so that
// what can go wrong in between is that a pointer leads to another session, and then it counts for none.
type sessions struct{ *Valkey }

// recordKey returns the key of a record, whose name is that of the login name. What is in braces
// decides which node of a cluster has it.
func recordKey(name string) string { return "portico:{" + name + "}:session" }

func pointerKey(id string) string { return "portico:{" + nameOf(id) + "}:id" }

// find returns the sealed record if it lives, and its id is the one asked for, or none is; and the time.
var find = redis.NewScript(clock + `
local record = redis.call('HMGET', KEYS[1], 'until', 'id', 'sealed')
if not record[1] or (record[1] ~= '0' and now >= tonumber(record[1])) then return false end
if ARGV[2] ~= '' and ARGV[2] ~= record[2] then return false end
return {record[3], now}
`)

// Get implements session.Store.
func (s sessions) Get(ctx context.Context, id string) (session.Session, error) {
	var found session.Session
	err := s.do(ctx, session.OpGet, "get a session", func(ctx context.Context) error {
		name, err := s.nameByID(ctx, id)
		if err != nil {
			return err
		}
		is, err := s.find(ctx, name, nameOf(id))
		found = is.Session
		return err
	})
	return found, err
}

// ByLogin implements session.Store.
func (s sessions) ByLogin(ctx context.Context, login string) (session.Session, error) {
	var found session.Session
	err := s.do(ctx, session.OpGet, "get the session of a login name", func(ctx context.Context) error {
		is, err := s.find(ctx, nameOf(login), "")
		found = is.Session
		return err
	})
	return found, err
}

// nameByID returns the name of the record that an id leads to.
func (s sessions) nameByID(ctx context.Context, id string) (string, error) {
	name, err := s.client.Get(ctx, pointerKey(id)).Result()
	return name, notFound(err)
}

// A stored is a session, and what the server has of it.
type stored struct {
	session.Session
	sealed string
	at     int64 // by its clock
}

// find returns the session under a name.
func (s sessions) find(ctx context.Context, name, wantedID string) (stored, error) {
	answer, err := s.run(ctx, find, recordKey(name), wantedID).Slice()
	if err != nil {
		return stored{}, notFound(err)
	}
	sealed, _ := answer[0].(string)
	at, _ := answer[1].(int64)
	found, err := s.unseal(sealed, name)
	return stored{found, sealed, at}, err
}

func notFound(err error) error {
	if errors.Is(err, redis.Nil) {
		return session.ErrNotFound
	}
	return err
}

// keep writes a record. With 'create' it leaves one that lives as it is and returns that.
var keep = redis.NewScript(clock + `
local life, most = tonumber(ARGV[4]), tonumber(ARGV[5])
if ARGV[6] == 'create' then
	local record = redis.call('HMGET', KEYS[1], 'until', 'sealed')
	if record[1] and (record[1] == '0' or now < tonumber(record[1])) then return record[2] end
end
local ends = life == 0 and '0' or string.format('%.0f', now + life)
redis.call('HSET', KEYS[1], 'id', ARGV[2], 'sealed', ARGV[3], 'until', ends)
if life == 0 then redis.call('PERSIST', KEYS[1]) else redis.call('PEXPIRE', KEYS[1], most) end
return ARGV[3]
`)

// Put implements session.Store.
func (s sessions) Put(ctx context.Context, one session.Session, life time.Duration) error {
	return s.do(ctx, session.OpPut, "put a session", func(ctx context.Context) error {
		_, err := s.keep(ctx, one, life, "put")
		return err
	})
}

// Create implements session.Store.
func (s sessions) Create(ctx context.Context, one session.Session, life time.Duration) (session.Session, error) {
	var kept session.Session
	err := s.do(ctx, session.OpPut, "create a session", func(ctx context.Context) error {
		sealed, err := s.keep(ctx, one, life, "create")
		if err != nil {
			return err
		}
		kept, err = s.unseal(sealed, nameOf(one.Login))
		return err
	})
	return kept, err
}

// keep writes the pointer, then the record.
func (s sessions) keep(ctx context.Context, one session.Session, life time.Duration, how string) (string, error) {
	name := nameOf(one.Login)
	sealed, err := s.sealed(one, name)
	if err != nil {
		return "", err
	}
	err = s.client.Set(ctx, pointerKey(one.ID), name, keptFor(life)).Err()
	if err != nil {
		return "", err
	}
	return s.run(ctx, keep, recordKey(name), nameOf(one.ID), sealed, life.Milliseconds(), keptFor(life).Milliseconds(), how).Text()
}

// keptFor returns how long the server keeps what has this life.
func keptFor(life time.Duration) time.Duration {
	if life == 0 {
		return 0
	}
	return life + lateness
}

// replace puts a sealed record in place of another that is still there.
var replace = redis.NewScript(`
if redis.call('HGET', KEYS[1], 'sealed') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'sealed', ARGV[3])
return 1
`)

// updates is how often a change is tried anew because another replica was quicker.
const updates = 10

// Update implements session.Store.
func (s sessions) Update(ctx context.Context, id string, change func(*session.Session)) (session.Session, error) {
	var is session.Session
	err := s.do(ctx, session.OpPut, "update a session", func(ctx context.Context) error {
		name, err := s.nameByID(ctx, id)
		for range updates {
			if err != nil {
				return err
			}
			var done bool
			is, done, err = s.update(ctx, name, id, change)
			if done {
				return err
			}
		}
		return errors.New("others changed it again and again")
	})
	return is, err
}

// update tries a change once, and reports whether it stands.
func (s sessions) update(ctx context.Context, name, id string, change func(*session.Session)) (session.Session, bool, error) {
	found, err := s.find(ctx, name, nameOf(id))
	if err != nil {
		return session.Session{}, false, err
	}
	is := found.Session
	is.Now = found.at
	change(&is)
	is.Now = 0
	after, err := s.sealed(is, name)
	if err != nil {
		return session.Session{}, false, err
	}
	done, err := s.run(ctx, replace, recordKey(name), found.sealed, after).Bool()
	return is, done, err
}

// touch begins a life anew.
var touch = redis.NewScript(clock + `
local record = redis.call('HMGET', KEYS[1], 'until', 'id')
if record[2] ~= ARGV[2] or (record[1] ~= '0' and now >= tonumber(record[1])) then return 0 end
if ARGV[3] == '0' then
	redis.call('HSET', KEYS[1], 'until', '0')
	redis.call('PERSIST', KEYS[1])
else
	redis.call('HSET', KEYS[1], 'until', string.format('%.0f', now + ARGV[3]))
	redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return 1
`)

// Touch implements session.Store.
func (s sessions) Touch(ctx context.Context, id string, life time.Duration) error {
	return s.do(ctx, session.OpPut, "touch a session", func(ctx context.Context) error {
		name, err := s.nameByID(ctx, id)
		if err != nil {
			return err
		}
		err = s.client.Set(ctx, pointerKey(id), name, keptFor(life)).Err()
		if err != nil {
			return err
		}
		found, err := s.run(ctx, touch, recordKey(name), nameOf(id), life.Milliseconds(), keptFor(life).Milliseconds()).Bool()
		if err == nil && !found {
			err = session.ErrNotFound
		}
		return err
	})
}

// remove deletes the record of an id; with 'expired' only if its life is over.
var remove = redis.NewScript(clock + `
local record = redis.call('HMGET', KEYS[1], 'until', 'id')
if record[2] ~= ARGV[2] then return 0 end
if ARGV[3] == 'expired' and (record[1] == '0' or now < tonumber(record[1])) then return 0 end
return redis.call('DEL', KEYS[1])
`)

// Expire implements session.Store.
func (s sessions) Expire(ctx context.Context, id string) (bool, error) {
	return s.remove(ctx, "expire a session", id, "expired")
}

// Delete implements session.Store.
func (s sessions) Delete(ctx context.Context, id string) error {
	_, err := s.remove(ctx, "delete a session", id, "always")
	return err
}

// remove takes the pointer away only with its record: one that lives is still to be found by it.
func (s sessions) remove(ctx context.Context, what, id, when string) (bool, error) {
	var removed bool
	err := s.do(ctx, session.OpDelete, what, func(ctx context.Context) error {
		name, err := s.nameByID(ctx, id)
		if err != nil {
			return err
		}
		removed, err = s.run(ctx, remove, recordKey(name), nameOf(id), when).Bool()
		if err == nil && removed {
			err = s.client.Del(ctx, pointerKey(id)).Err()
		}
		return err
	})
	if errors.Is(err, session.ErrNotFound) {
		err = nil
	}
	return removed, err
}

// sealed returns a session as it stands in the store.
func (s sessions) sealed(one session.Session, name string) (string, error) {
	text, err := json.Marshal(one)
	if err != nil {
		return "", err
	}
	return string(s.seal.seal(text, recordKey(name))), nil
}

func (s sessions) unseal(sealed, name string) (session.Session, error) {
	text, err := s.seal.open([]byte(sealed), recordKey(name))
	if err != nil {
		return session.Session{}, err
	}
	var one session.Session
	err = json.Unmarshal(text, &one)
	if err != nil {
		return session.Session{}, fmt.Errorf("read a record: %w", err)
	}
	return one, nil
}
