package push

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"
)

// A Publication is an event that is to be published.
type Publication struct {
	Channel  string
	Data     any       // anything that encodes as JSON; an Appender is appended
	Received time.Time // when the event came to us
	Mark     string    // what owner's applications know then, for the journal, if there is one; "" if that is not known
	Again    bool      // it says what holds already: what the journal does not take at once is told here alone
}

// An Appender appends itself as JSON, as encoding/json would encode it that leaves <, > and & as they are.
type Appender interface{ AppendJSON(out []byte) []byte }

// PublishAll puts events, in order, in the queue of each client of owner with a pattern that matches their channel:
// once, whichever and however many match, and after everything published before. A connect that is held is answered
// with all of them. It does not wait for any client: one whose queue is full is ended, and shakes hands when it
// connects. An event may be of any length: whoever bounds what comes bounds it. It waits for the journal if there is one.
//
// It fails only on a channel that cannot be published to and on data that cannot be encoded; the others are published.
func (s *Server) PublishAll(owner string, all ...Publication) error {
	reaches := s.Reaches(owner) // else there is nothing to encode for
	events, failed := make([]*event, len(all)), error(nil)
	for i, p := range all {
		e, err := p.event(reaches)
		failed = errors.Join(failed, err)
		if e != nil && s.shared != nil {
			s.append(owner, p, e)
			continue
		}
		events[i] = e
	}
	s.offerAll(owner, all, events)
	return failed
}

// event returns what is queued for p; nil if it reaches nobody.
func (p *Publication) event(reaches bool) (*event, error) {
	if !validChannel(p.Channel, false) || isMeta(p.Channel) || isService(p.Channel) {
		return nil, fmt.Errorf("push: publish on %q: not a broadcast channel", p.Channel)
	}
	if !reaches {
		return nil, nil
	}
	text, err := p.text()
	if err != nil {
		return nil, fmt.Errorf("push: publish on %q: %w", p.Channel, err)
	}
	return &event{text: text, topic: topic(p.Channel), received: p.Received}, nil
}

// text returns what clients are told.
func (p *Publication) text() ([]byte, error) {
	s := borrow()
	defer s.giveBack()
	s.WriteString(`{"data":`)
	err := s.encode(p.Data)
	s.WriteString(`,"channel":"`)
	s.WriteString(p.Channel) // which is valid, so nothing in it is to be escaped
	s.WriteString(`"}`)
	return bytes.Clone(s.Bytes()), err
}

// offerAll offers events to owner's clients, those that are not nil, and answers the connects that are held for them.
func (s *Server) offerAll(owner string, all []Publication, events []*event) {
	s.mu.Lock()
	s.gathers = true
	for i, e := range events {
		if e != nil {
			s.offerAllLocked(owner, all[i].Channel, e)
		}
	}
	woken := s.woken
	s.gathers, s.woken = false, nil
	s.mu.Unlock()
	for p := woken; p != nil; p = p.alsoWoken {
		p.answer()
	}
}

// offerAllLocked offers e to each of owner's clients that is subscribed to its channel.
func (s *Server) offerAllLocked(owner, channel string, e *event) {
	for _, c := range s.owners[owner] {
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
