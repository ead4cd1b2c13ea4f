package push

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"
)

// register makes c known to the journal, if there is one. It fails with ErrFull if its owner may not have one more.
func (s *Server) register(c *client) error {
	if s.shared == nil {
		return nil
	}
	s.mu.Lock()
	r := c.recordLocked()
	done := s.flyLocked(c.owner)
	s.mu.Unlock()
	last, err := s.shared.Create(context.Background(), c.owner, r, s.opts.MaxClients)
	s.mu.Lock()
	defer s.mu.Unlock()
	newest := done()
	if err == nil {
		c.turn, c.tail = 1, max(last, newest) // it is subscribed to nothing that was before
	}
	return err
}

// fetch returns the client that m speaks for and another server served, nil if there is none, or, as away tells, if
// the journal did not say so.
func (s *Server) fetch(x *exchange, m *message) (c *client, away bool) {
	if s.shared == nil || m.ClientID == "" {
		return nil, false
	}
	s.mu.Lock()
	done := s.flyLocked(x.owner)
	s.mu.Unlock()
	r, missed, err := s.shared.Take(context.Background(), x.owner, m.ClientID, m.Channel == metaConnect)
	s.mu.Lock()
	defer s.mu.Unlock()
	newest := done()
	here := s.findLocked(x, m.ClientID)
	if err != nil || here != nil && here.turn >= r.Turn {
		return here, here == nil && !errors.Is(err, ErrUnknown)
	}
	if here != nil && here.turn == r.Turn-1 { // who asked at the same time was quicker, and both took it
		here.turn = r.Turn
		return here, false
	}
	if here != nil {
		s.moveAwayLocked(here, false) // others had it in between
	}
	c = s.bringInLocked(x, r, missed)
	if c != nil && c.tail < newest {
		s.catchUpLocked(x.owner)
	}
	return s.findLocked(x, m.ClientID), false
}

// takeovers is how often in one request a client is taken anew that another server took meanwhile. Servers that did so
// at once would take it from each other forever: each waits before, at random, and from up to a millisecond twice as
// long each time, but no longer than slowest.
const (
	takeovers = 10
	slowest   = 256 * time.Millisecond
)

// takeAnew has x speak for m's client again, which another server has taken; tries is how often that was done before.
func (s *Server) takeAnew(x *exchange, m *message, tries int) {
	time.Sleep(rand.N(min(time.Millisecond<<tries, slowest)))
	s.find(x, m)
}

// own sees to it that x's client is served here, and not by a server that took it a moment ago.
func (s *Server) own(x *exchange, m *message) {
	for tries := range takeovers {
		if x.client == nil || s.save(x.client) {
			return
		}
		s.takeAnew(x, m, tries)
	}
}

// lockSpeaker locks the server and reports whether m comes from x's client. It takes that anew if another server
// did since the message before: the client works on several at once, and connects while it subscribes.
func (s *Server) lockSpeaker(x *exchange, m *message) bool {
	for tries := 0; ; tries++ {
		s.mu.Lock()
		if tries == takeovers || x.client == nil || !x.client.moved {
			return x.speaksLocked(m)
		}
		s.mu.Unlock()
		s.takeAnew(x, &message{Channel: m.Channel, ClientID: x.client.id}, tries)
	}
}

// flyLocked notes that the journal is asked for one of owner's clients. What it returns is called, with Server.mu
// held, when it has answered, and tells the newest event that was heard of meanwhile.
func (s *Server) flyLocked(owner string) func() uint64 {
	one := s.shared.flights[owner]
	if one == nil {
		one = &flight{}
		s.shared.flights[owner] = one
	}
	one.clients++
	return func() uint64 {
		one.clients--
		if one.clients == 0 {
			delete(s.shared.flights, owner)
		}
		return one.newest
	}
}

// bringInLocked goes on with a client, or returns nil if events that it has not had are not kept any more: it
// is to shake hands then.
func (s *Server) bringInLocked(x *exchange, r Record, missed Entries) *client {
	if missed.Last < r.Seen || missed.Last-r.Seen != uint64(len(missed.All)) {
		return nil
	}
	c := &client{id: r.ID, owner: x.owner, browser: r.Browser, transport: x.transport, interval: s.opts.Interval,
		patterns: r.Patterns, connected: true, turn: r.Turn, tail: r.Seen, saved: r.Seen}
	c.queue.start(r.Ack)
	s.metrics.life[c.transport][broughtIn].Inc()
	s.enterLocked(c)
	for _, entry := range missed.All {
		s.advanceLocked(c, entry.Channel, entry.event())
	}
	c.queue.resume(r.Batch+int64(r.Turn)*batchesUnsaved, r.Sent)
	return c
}

// recordLocked returns what another server would have to know of c now. What is being written counts as seen:
// whether it arrived is not known before the client connects again.
func (c *client) recordLocked() Record {
	c.version++
	r := Record{ID: c.id, Browser: c.browser, Ack: c.queue.ack, Patterns: slices.Clone(c.patterns), Turn: c.turn, Version: c.version}
	r.Seen, r.Batch, r.Sent = c.queue.seen(c.tail), c.queue.batch, c.queue.sent()
	return r
}

// save tells the journal what another server would have to know of c. It reports false if another one serves
// it by now; c is gone from here then. A journal that does not answer is told with the next renewal.
func (s *Server) save(c *client) bool {
	if s.shared == nil {
		return true
	}
	s.mu.Lock()
	moved, r := c.moved, c.recordLocked()
	s.mu.Unlock()
	if moved || r.Turn == 0 {
		return !moved
	}
	err := s.shared.Save(context.Background(), c.owner, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case errors.Is(err, ErrUnknown):
		s.moveAwayLocked(c, false)
		return false
	case err != nil:
		c.unsaved = true
	case r.Version == c.version:
		c.unsaved, c.saved = false, r.Seen
	}
	return true
}

// forget has the journal forget c, which has ended.
func (s *Server) forget(c *client) {
	s.mu.Lock()
	turn := c.turn
	s.mu.Unlock()
	if turn > 0 {
		_ = s.shared.Remove(context.Background(), c.owner, c.id, turn) // else it does so by itself before long
	}
}

// forgetLocked is forget beside what is under way.
func (s *Server) forgetLocked(c *client) {
	if s.shared != nil && !s.closed {
		s.serving.Go(func() { s.forget(c) })
	}
}
