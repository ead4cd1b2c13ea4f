package store

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// An ear is a connection over which a replica listens to channels. The library subscribes to all of them anew on each new
// connection, but not to those that the server refused, as long as that stands, and tells nobody: so the ear keeps in
// mind what the server has confirmed on this connection, and asks again for what it has not. Nor does the library find that
// a connection has gone silent, as when the server's host is lost without a word: it waits to read for ever. So the ear asks
// for a sign of life, and opens another connection where none comes. Any number of goroutines may call its methods.
type ear struct {
	open func() *redis.PubSub // of no channels yet
	came chan any             // what came: a *redis.Message, or a *redis.Subscription. It is closed with the ear.
	life context.Context
	end  context.CancelFunc

	mu       sync.Mutex // guards what follows
	channels *redis.PubSub
	waited   map[string]time.Time // since when each channel has not been confirmed, zero if it was
	refusal  error                // what the server said when it refused, since it confirmed a channel
	last     time.Time            // when something came or was asked for
	asked    time.Time            // when something was asked for first since anything came; zero: nothing was
}

const (
	earWaits   = 2 * time.Second        // for the server to confirm a channel, or to say anything when it is asked
	earLooks   = time.Second            // and asks again for what was not confirmed
	earPings   = 3 * time.Second        // after it heard nothing for so long: a connection that is dead says nothing for earWaits then
	earRecoils = 100 * time.Millisecond // from an error
)

// newEar returns an ear that does not listen yet.
func (v *Valkey) newEar() *ear {
	open := func() *redis.PubSub { return v.client.Subscribe(context.Background()) }
	e := &ear{open: open, channels: open(), came: make(chan any, noticesWaiting), waited: map[string]time.Time{}}
	e.life, e.end = context.WithCancel(context.Background())
	return e
}

// listen takes what comes, until the ear is closed.
func (e *ear) listen() {
	go e.receive()
	go e.look()
}

func (e *ear) close() error {
	e.end()
	return e.listensBy().Close()
}

// listensBy returns the connection, or what makes it.
func (e *ear) listensBy() *redis.PubSub {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.channels
}

// subscribe begins to listen to a channel: at once, or as soon as the server can be reached and allows it.
func (e *ear) subscribe(channel string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.waited[channel] = time.Now()
	_ = e.channels.Subscribe(e.life, channel) // look tries again
}

func (e *ear) unsubscribe(channel string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.waited, channel)
	_ = e.channels.Unsubscribe(e.life, channel)
}

func (e *ear) receive() {
	defer close(e.came)
	for {
		channels := e.listensBy()
		what, err := channels.Receive(e.life)
		switch {
		case channels != e.listensBy(): // it was silent, and says no more than that it is closed
			continue
		case errors.Is(err, redis.ErrClosed):
			return
		}
		e.note(what, err)
		if err != nil {
			select {
			case <-time.After(earRecoils):
			case <-e.life.Done():
			}
			continue
		}
		_, isPong := what.(*redis.Pong)
		if isPong {
			continue
		}
		select {
		case e.came <- what:
		case <-e.life.Done():
			return
		}
	}
}

// note keeps in mind what the server confirmed. Of a connection that broke nothing is left.
func (e *ear) note(what any, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.last, e.asked = time.Now(), time.Time{}
	_, isRefusal := errors.AsType[redis.Error](err)
	switch {
	case isRefusal:
		e.refusal = err
	case err != nil:
		e.forgetLocked()
	}
	subscription, ok := what.(*redis.Subscription)
	if !ok {
		return
	}
	_, wanted := e.waited[subscription.Channel]
	switch {
	case wanted && subscription.Kind == "subscribe":
		e.waited[subscription.Channel], e.refusal = time.Time{}, nil
	case wanted: // it was unsubscribed from before it was subscribed to again
		e.waited[subscription.Channel] = e.last
	}
}

// look asks again for what was not confirmed, until the ear is closed.
func (e *ear) look() {
	tick := time.NewTicker(earLooks)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			e.ask()
		case <-e.life.Done():
			return
		}
	}
}

func (e *ear) ask() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.came) == cap(e.came) { // who listens is slow, and what came is not looked at meanwhile
		e.asked = time.Time{}
		return
	}
	late := e.lateLocked()
	switch {
	case !e.asked.IsZero() && time.Since(e.asked) >= earWaits:
		e.renewLocked()
	case len(late) > 0:
		e.askedLocked()
		_ = e.channels.Subscribe(e.life, late...)
	case time.Since(e.last) >= earPings:
		e.askedLocked()
		_ = e.channels.Ping(e.life) // which connects anew if it cannot be sent
	}
}

// askedLocked notes that the server is to say something.
func (e *ear) askedLocked() {
	e.last = time.Now()
	if e.asked.IsZero() {
		e.asked = e.last
	}
}

// renewLocked listens on another connection in place of one that is silent, as after one that broke.
func (e *ear) renewLocked() {
	if e.life.Err() != nil {
		return
	}
	silent := e.channels
	e.channels, e.last, e.asked = e.open(), time.Now(), time.Time{}
	e.forgetLocked()
	_ = silent.Close()
	if len(e.waited) > 0 {
		_ = e.channels.Subscribe(e.life, slices.Collect(maps.Keys(e.waited))...)
	}
}

// forgetLocked takes that the server has confirmed nothing, as by a connection that is over.
func (e *ear) forgetLocked() {
	for channel := range e.waited {
		e.waited[channel] = e.last
	}
}

// lateLocked returns the channels that the server should have confirmed by now.
func (e *ear) lateLocked() []string {
	var late []string
	for channel, since := range e.waited {
		if !since.IsZero() && time.Since(since) >= earWaits {
			late = append(late, channel)
		}
	}
	return late
}

// errDeaf is what a channel comes to that the server says nothing of.
var errDeaf = errors.New("the server does not confirm a subscription")

// deaf returns why the ear does not hear all that it listens for, nil if it does.
func (e *ear) deaf() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.lateLocked()) == 0 {
		return nil
	}
	if e.refusal != nil {
		return e.refusal
	}
	return errDeaf
}

// ears are those with which a replica listens. Any number of goroutines may call its methods.
type ears struct {
	mu  sync.Mutex
	all []*ear // guarded by mu
}

func (e *ears) add(one *ear) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, one)
}

func (e *ears) remove(one *ear) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = slices.DeleteFunc(e.all, func(other *ear) bool { return other == one })
}

// deaf returns why one of them does not hear all that it listens for, nil if all do.
func (e *ears) deaf() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, one := range e.all {
		err := one.deaf()
		if err != nil {
			return err
		}
	}
	return nil
}
