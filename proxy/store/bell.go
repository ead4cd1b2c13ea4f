package store

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"portico/proxy/session"
)

// bell implements session.Bell: each name is a channel, so that a replica hears what it listens for and no
// more. Who hears says so over a channel of the one who rings. One connection carries all that a replica
// listens for.
type bell struct {
	store     *Valkey
	listeners session.Listeners
	ear       *ear
	begin     sync.Once
	rung      atomic.Int64
	waiting   sync.Map // by the number of what was rung, the chan struct{} that is closed when it was heard
}

func newBell(v *Valkey) *bell {
	b := &bell{store: v, ear: v.newEar()}
	v.ears.add(b.ear)
	return b
}

const (
	bellPrefix  = "portico:bell:"
	heardPrefix = "portico:heard:"
)

// heardWithin is how long Ring waits for those who listen. They answer within milliseconds, but one that has
// died may still be taken to be there.
const heardWithin = 500 * time.Millisecond

// Ring implements session.Bell.
func (b *bell) Ring(ctx context.Context, name string) error {
	b.start()
	number, heard := b.rung.Add(1), make(chan struct{})
	b.waiting.Store(number, heard)
	defer b.waiting.Delete(number)
	listeners := int64(0)
	err := b.store.do(ctx, session.OpPut, "ring a bell", func(ctx context.Context) error {
		var err error
		listeners, err = b.store.client.Publish(ctx, bellPrefix+nameOf(name), b.store.me+" "+strconv.FormatInt(number, 10)).Result()
		return err
	})
	if err != nil || listeners == 0 && !b.store.cluster { // whose nodes count those who listen at them alone
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, heardWithin)
	defer cancel()
	select {
	case <-heard:
	case <-ctx.Done():
	}
	return nil
}

// Hear implements session.Bell. While the store is away, or does not let the replica listen, nothing is heard, and
// once it is back all who listen do.
func (b *bell) Hear(name string, heard func()) (stop func()) {
	b.start()
	channel := bellPrefix + nameOf(name)
	b.listeners.Set(channel, heard)
	b.ear.subscribe(channel)
	return func() {
		b.ear.unsubscribe(channel)
		b.listeners.Set(channel, nil)
	}
}

// start begins to listen, once.
func (b *bell) start() {
	b.begin.Do(func() {
		b.ear.subscribe(heardPrefix + b.store.me)
		b.ear.listen()
		go b.listen()
	})
}

// listen has the listeners hear until the connection is closed for good.
func (b *bell) listen() {
	for came := range b.ear.came {
		switch came := came.(type) {
		case *redis.Message:
			b.heard(came)
		case *redis.Subscription: // what was rung before it stood was not heard
			if came.Kind == "subscribe" {
				b.listeners.Call(came.Channel)
			}
		}
	}
}

// heard has a listener hear and says so, or learns that others heard.
func (b *bell) heard(m *redis.Message) {
	ringer, number, found := strings.Cut(m.Payload, " ")
	if found {
		b.listeners.Call(m.Channel)
		go func() { _ = b.store.client.Publish(context.Background(), heardPrefix+ringer, number).Err() }()
		return
	}
	n, _ := strconv.ParseInt(m.Payload, 10, 64)
	waiting, ours := b.waiting.LoadAndDelete(n)
	if ours {
		close(waiting.(chan struct{}))
	}
}
