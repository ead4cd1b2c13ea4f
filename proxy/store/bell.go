package store

import (
	"context"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"portico/proxy/session"
)

// bell implements session.Bell: each name is a channel, so that a replica hears what it listens for and no
// more. One connection carries all that it listens for.
type bell struct {
	store     *Valkey
	listeners session.Listeners
	channels  *redis.PubSub
	begin     sync.Once
}

func newBell(v *Valkey) *bell {
	return &bell{store: v, channels: v.client.Subscribe(context.Background())}
}

const bellPrefix = "portico:bell:"

// Ring implements session.Bell.
func (b *bell) Ring(ctx context.Context, name string) error {
	return b.store.do(ctx, session.OpPut, "ring a bell", func(ctx context.Context) error {
		return b.store.client.Publish(ctx, bellPrefix+nameOf(name), "").Err()
	})
}

// Hear implements session.Bell. While the store is away nothing is heard, and once it is back all who listen do.
func (b *bell) Hear(name string, heard func()) (stop func()) {
	b.begin.Do(func() { go b.listen() })
	channel := nameOf(name)
	b.listeners.Set(channel, heard)
	_ = b.channels.Subscribe(context.Background(), bellPrefix+channel) // tried again until it succeeds
	return func() {
		_ = b.channels.Unsubscribe(context.Background(), bellPrefix+channel)
		b.listeners.Set(channel, nil)
	}
}

// listen has the listeners hear until the connection is closed for good.
func (b *bell) listen() {
	for came := range b.channels.ChannelWithSubscriptions(redis.WithChannelSize(noticesWaiting)) {
		switch came := came.(type) {
		case *redis.Message:
			b.listeners.Call(strings.TrimPrefix(came.Channel, bellPrefix))
		case *redis.Subscription: // what was rung before it stood was not heard
			if came.Kind == "subscribe" {
				b.listeners.Call(strings.TrimPrefix(came.Channel, bellPrefix))
			}
		}
	}
}
