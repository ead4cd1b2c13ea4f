package push

import (
	"fmt"
	"slices"
	"time"
)

// Publish puts data, which may be anything that encodes as JSON, in the queue of each client of
// owner with a pattern that matches channel: once, whichever and however many match, and after
// everything published before. received is when the event came to us. It does not wait for any client:
// one whose queue is full is ended, and shakes hands when it connects. It waits for the journal if there
// is one.
//
// It fails only on a channel that cannot be published to and on data that cannot be encoded.
func (s *Server) Publish(owner, channel string, data any, received time.Time) error {
	return s.PublishMarked(owner, channel, data, received, "")
}

// PublishMarked is Publish, and notes in the journal, if there is one, what owner's applications know then.
func (s *Server) PublishMarked(owner, channel string, data any, received time.Time, mark string) error {
	if !validChannel(channel, false) || isMeta(channel) || isService(channel) {
		return fmt.Errorf("push: publish on %q: not a broadcast channel", channel)
	}
	if !s.Reaches(owner) {
		return nil // nothing to encode for
	}
	text, err := encode(struct {
		Data    any    `json:"data"`
		Channel string `json:"channel"`
	}{data, channel})
	if err != nil {
		return fmt.Errorf("push: publish on %q: %w", channel, err)
	}
	e := &event{text: text, topic: topic(channel), received: received}
	if s.shared != nil {
		s.append(owner, channel, e, mark)
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offerAllLocked(owner, channel, e)
	return nil
}

// offerAllLocked offers e to each of owner's clients that is subscribed to its channel.
func (s *Server) offerAllLocked(owner, channel string, e *event) {
	for _, c := range slices.Clone(s.owners[owner]) {
		s.offerLocked(c, channel, e)
	}
}

// offerLocked queues e for c if it is subscribed to channel, and has it written if c can take it now. A client
// without room for it is ended.
func (s *Server) offerLocked(c *client, channel string, e *event) {
	switch {
	case !c.subscribed(channel, e.position):
	case c.queue.add(e, s.opts.MaxQueue, s.opts.MaxQueueBytes):
		c.lively = true
		s.metrics.backlog.Inc()
		s.wakeLocked(c)
	default:
		s.metrics.dropped(e)
		s.removeLocked(c, overflowed)
	}
}

// wakeLocked has c's events written if there are any and a way to: its socket, or a connect that is held.
func (s *Server) wakeLocked(c *client) {
	if !c.queue.ready() {
		return
	}
	if c.socket != nil && !s.connectOnly(c) {
		c.socket.kickLocked(c)
		return
	}
	s.releaseLocked(c.connect)
}

// connectOnly reports whether c gets events with connect replies alone.
func (s *Server) connectOnly(c *client) bool {
	return s.opts.MetaConnectDeliverOnly || c.queue.ack
}

// subscribed reports whether c gets what is published on channel, at a position if the journal has it.
func (c *client) subscribed(channel string, position uint64) bool {
	return slices.ContainsFunc(c.patterns, func(one Subscription) bool {
		return (position == 0 || position > one.After) && matches(one.Pattern, channel)
	})
}

// subscribedTo reports whether pattern is among c's.
func (c *client) subscribedTo(pattern string) bool {
	return slices.ContainsFunc(c.patterns, func(one Subscription) bool { return one.Pattern == pattern })
}
