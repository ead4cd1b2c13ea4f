package push

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// Publish puts data, which may be anything that encodes as JSON, in the queue of each client of
// owner with a pattern that matches channel: once, whichever and however many match, and after
// everything published before. received is when the event came to us. It does not wait for anyone:
// a client whose queue is full is ended, and shakes hands when it connects.
//
// It fails only on a channel that cannot be published to and on data that cannot be encoded.
func (s *Server) Publish(owner, channel string, data any, received time.Time) error {
	if !validChannel(channel, false) || isMeta(channel) || isService(channel) {
		return fmt.Errorf("push: publish on %q: not a broadcast channel", channel)
	}
	if s.Clients(owner) == 0 {
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
	s.mu.Lock()
	defer s.mu.Unlock()
	var full []*client
	for _, c := range s.owners[owner] {
		if c.subscribed(channel) && !s.offerLocked(c, e) {
			full = append(full, c)
		}
	}
	for _, c := range full {
		s.metrics.dropped(e)
		s.removeLocked(c, overflowed)
	}
	return nil
}

// offerLocked queues e for c and has it written if c can take it now. It reports whether there was room.
func (s *Server) offerLocked(c *client, e *event) bool {
	if !c.queue.add(e, s.opts.MaxQueue, s.opts.MaxQueueBytes) {
		return false
	}
	c.lively = true
	s.metrics.backlog.Inc()
	s.wakeLocked(c)
	return true
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

// subscribed reports whether c gets what is published on channel.
func (c *client) subscribed(channel string) bool {
	for _, pattern := range c.patterns {
		if matches(pattern, channel) {
			return true
		}
	}
	return false
}

// encode returns v as JSON, leaving <, > and & as they are.
func encode(v any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}
