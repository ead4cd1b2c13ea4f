package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"portico/proxy/push"
	"portico/proxy/session"
)

// journal implements push.Journal.
//
// What belongs to an owner stands on one node: a board with the number of the newest event and the servers
// that serve clients, a stream of the newest events, and a record for each client. The scripts tell other
// servers what they change, each over a channel of its own.
type journal struct{ *Valkey }

func boardKey(owner string) string { return "portico:{" + nameOf(owner) + "}:push" }

func eventsKey(owner string) string { return "portico:{" + nameOf(owner) + "}:events" }

func clientKey(owner, id string) string { return clientKeys(owner) + nameOf(id) }

// clientKeys begins the keys of all clients of owner.
func clientKeys(owner string) string { return "portico:{" + nameOf(owner) + "}:client:" }

// How long things are kept. A client whose server died is kept as long as one that is advised to connect
// again at once may need to get to another; the board of an owner outlives all else of them.
const (
	eventsKept = 500
	eventsLife = 2 * time.Minute
	clientLife = time.Minute
	boardLife  = push.MarksKept
)

// listeners begins scripts that tell the servers of an owner's clients. The first key is the board. It forgets
// clients that nobody renewed.
const listeners = clock + `
local me, servers, clients = ARGV[2], {}, 0
local board = redis.call('HGETALL', KEYS[1])
for i = 1, #board, 2 do
	local ends, server = string.match(board[i + 1], '^(%d+) (.+)$')
	if string.sub(board[i], 1, 2) == 'c:' and now >= tonumber(ends) then
		redis.call('HDEL', KEYS[1], board[i])
	elseif string.sub(board[i], 1, 2) == 'c:' then
		servers[server], clients = true, clients + 1
	end
end
local function tell(text)
	for server in pairs(servers) do
		if server ~= me then redis.call('PUBLISH', 'portico:replica:' .. server, text) end
	end
end
`

// appendEntry numbers an event and keeps it.
var appendEntry = redis.NewScript(listeners + `
if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], 'mark', ARGV[4]) end
redis.call('PEXPIRE', KEYS[1], ARGV[7])
if clients == 0 then return 0 end
if redis.call('HGET', KEYS[1], 'newest') == ARGV[8] then return redis.call('HGET', KEYS[1], 'n') end
redis.call('HSET', KEYS[1], 'newest', ARGV[8])
local n = redis.call('HINCRBY', KEYS[1], 'n', 1)
redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[5], n .. '-0', 'e', ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[6])
tell('e' .. n .. ' ' .. ARGV[3])
return n
`)

// Append implements push.Journal.
func (j journal) Append(ctx context.Context, owner string, e push.Entry) (position uint64, err error) {
	sealed, err := j.sealed(note{Owner: owner, ID: e.ID, Channel: e.Channel, Text: e.Text, Had: e.Had})
	if err != nil {
		return 0, err
	}
	err = j.do(ctx, session.OpPut, "append an event", func(ctx context.Context) error {
		position, err = j.on(ctx, appendEntry, []string{boardKey(owner), eventsKey(owner)},
			j.me, sealed, e.Mark, eventsKept, eventsLife.Milliseconds(), boardLife.Milliseconds(), nameOf(e.ID)).Uint64()
		return err
	})
	return position, err
}

// noteMark keeps what an owner's applications know, if that is said.
var noteMark = redis.NewScript(clock + `
local before = redis.call('HGET', KEYS[1], 'mark')
if ARGV[2] ~= '' then redis.call('HSET', KEYS[1], 'mark', ARGV[2]) end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return before or ''
`)

// Mark implements push.Journal.
func (j journal) Mark(ctx context.Context, owner, mark string) (before string, err error) {
	err = j.do(ctx, session.OpPut, "mark what was told", func(ctx context.Context) error {
		before, err = j.run(ctx, noteMark, boardKey(owner), mark, boardLife.Milliseconds()).Text()
		return err
	})
	return before, err
}

// entriesAfter returns the number of the newest event, and those after another.
var entriesAfter = redis.NewScript(clock + `
local n = redis.call('HGET', KEYS[1], 'n') or '0'
return {n, redis.call('XRANGE', KEYS[2], string.format('%.0f-0', ARGV[2] + 1), '+')}
`)

// Since implements push.Journal.
func (j journal) Since(ctx context.Context, owner string, position uint64) (found push.Entries, err error) {
	err = j.do(ctx, session.OpGet, "read events", func(ctx context.Context) error {
		answer, err := j.on(ctx, entriesAfter, []string{boardKey(owner), eventsKey(owner)}, position).Slice()
		if err != nil {
			return err
		}
		found, err = j.entries(owner, answer[0], answer[1])
		return err
	})
	return found, err
}

// entries reads what a script returned of a stream.
func (j journal) entries(owner string, last, all any) (push.Entries, error) {
	var found push.Entries
	var err error
	found.Last, err = number(last)
	if err != nil {
		return push.Entries{}, err
	}
	items, _ := all.([]any)
	for _, item := range items {
		entry, err := j.entry(owner, item)
		if err != nil {
			return push.Entries{}, err
		}
		found.All = append(found.All, entry)
	}
	return found, nil
}

// entry reads one item of a stream: its id, then a list of one field and its value.
func (j journal) entry(owner string, item any) (push.Entry, error) {
	pair, _ := item.([]any)
	if len(pair) != 2 {
		return push.Entry{}, fmt.Errorf("an event is %v", item)
	}
	fields, _ := pair[1].([]any)
	if len(fields) != 2 {
		return push.Entry{}, fmt.Errorf("an event holds %d texts; want 2", len(fields))
	}
	var position uint64
	id, _ := pair[0].(string)
	_, err := fmt.Sscanf(id, "%d-0", &position)
	if err != nil {
		return push.Entry{}, fmt.Errorf("the id of an event is %q", id)
	}
	sealed, _ := fields[1].(string)
	is, err := j.unsealed(sealed)
	if err == nil && is.Owner != owner {
		err = errSealed
	}
	return is.entry(position), err
}

// number reads a number of a script, which may be a text.
func number(v any) (uint64, error) {
	switch v := v.(type) {
	case int64:
		return uint64(v), nil
	case string:
		return strconv.ParseUint(v, 10, 64)
	}
	return 0, fmt.Errorf("%v is not a number", v)
}

// endAll forgets what is kept for an owner. A record that stayed would be gone on with once the events, which are numbered
// from 1 again, are as many as its client has had.
var endAll = redis.NewScript(listeners + `
tell('x0 ' .. ARGV[3])
for i = 1, #board, 2 do
	if string.sub(board[i], 1, 2) == 'c:' then redis.call('DEL', ARGV[4] .. string.sub(board[i], 3)) end
end
return redis.call('DEL', KEYS[1], KEYS[2])
`)

// End implements push.Journal.
func (j journal) End(ctx context.Context, owner string, a push.Advice) error {
	sealed, err := j.sealed(note{Owner: owner, Advice: a})
	if err != nil {
		return err
	}
	return j.do(ctx, session.OpDelete, "end all clients", func(ctx context.Context) error {
		return j.on(ctx, endAll, []string{boardKey(owner), eventsKey(owner)}, j.me, sealed, clientKeys(owner)).Err()
	})
}

// A note is what stands sealed in the store: an event, or what one server tells another.
type note struct {
	Owner string

	ID      string          `json:",omitempty"`
	Channel string          `json:",omitempty"`
	Text    json.RawMessage `json:",omitempty"`
	Had     []push.Had      `json:",omitempty"`

	Client     string      `json:",omitempty"`
	Connecting bool        `json:",omitempty"`
	Advice     push.Advice `json:",omitempty"`
}

// entry returns the event of n, as it stands at a position.
func (n note) entry(position uint64) push.Entry {
	return push.Entry{ID: n.ID, Channel: n.Channel, Text: n.Text, Position: position, Had: n.Had}
}

// notePlace binds notes to their use. Whose they are stands in them.
const notePlace = "portico notes"

// sealed leaves an event's text as it is: clients of all servers get the same bytes.
func (j journal) sealed(n note) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(n)
	if err != nil {
		return nil, err
	}
	return j.seal.seal(text.Bytes(), notePlace), nil
}

func (j journal) unsealed(sealed string) (note, error) {
	text, err := j.seal.open([]byte(sealed), notePlace)
	if err != nil {
		return note{}, err
	}
	var n note
	err = json.Unmarshal(text, &n)
	return n, err
}

// errNotice is what a notice is that cannot be read.
var errNotice = errors.New("a notice is not what servers tell each other")
