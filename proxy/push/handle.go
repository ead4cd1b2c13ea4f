package push

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// handle answers the messages of x, in order. A request speaks for one client, that of its first
// message; a message that names another is answered as one of an unknown client.
//
// Source: CometD 3.1, AbstractHttpTransport.processMessages.
func (s *Server) handle(x *exchange, batch []message) {
	s.find(x, &batch[0])
	s.own(x, &batch[0])
	for i := range batch {
		m := &batch[i]
		switch {
		case s.opts.Receive != nil && !s.opts.Receive(x.owner, m.Channel):
			x.replies = append(x.replies, m.reply().fail(errDeleted))
		case m.Channel == metaConnect:
			s.connect(x, m, len(batch) == 1)
		default:
			x.replies = append(x.replies, s.answer(x, m))
		}
	}
}

// find has x speak for the client of m, wherever that was served so far.
func (s *Server) find(x *exchange, m *message) {
	s.mu.Lock()
	x.client, x.away = s.findLocked(x, m.ClientID), false
	s.mu.Unlock()
	if x.client == nil {
		x.client, x.away = s.fetch(x, m)
	}
}

// answer carries out any message but a connect.
func (s *Server) answer(x *exchange, m *message) reply {
	switch {
	case m.Channel == "":
		return m.reply().fail(errChannelMissing)
	case m.Channel == metaHandshake:
		return s.handshake(x, m)
	case !s.speaks(x, m):
		return x.unknown(m)
	}
	switch m.Channel {
	case metaSubscribe:
		return s.kept(x, m, s.subscribe)
	case metaUnsubscribe:
		return s.kept(x, m, s.unsubscribe)
	case metaDisconnect:
		return s.disconnect(x, m)
	}
	return s.publish(x, m)
}

// speaks reports whether m comes from x's client, and notes that the client is there.
func (s *Server) speaks(x *exchange, m *message) bool {
	speaks := s.lockSpeaker(x, m)
	defer s.mu.Unlock()
	if !speaks {
		return false
	}
	s.extendLocked(x.client)
	x.carries = x.carries || !s.connectOnly(x.client)
	return true
}

// handshake makes a client. It comes alone, so nobody else has set x.client.
func (s *Server) handshake(x *exchange, m *message) reply {
	r := m.reply()
	if s.opts.Handshake != nil && !s.opts.Handshake(x.owner) {
		s.metrics.life[x.transport][refused].Inc()
		r.Advice = &advice{Reconnect: None}
		return r.fail(errHandshakeDenied)
	}
	if x.browser == "" {
		x.browser, x.newBrowser = newBrowserID(), true
	}
	ack := s.opts.AckExtension && m.wantsAck()
	c, err := s.add(x, ack)
	if err != nil {
		s.metrics.life[x.transport][refused].Inc()
	}
	switch {
	case errors.Is(err, ErrFull):
		// The clients of pages that were left are swept before long, so it pays to come again.
		r.Advice = &advice{Reconnect: Handshake, Interval: milliseconds(s.opts.MaxInterval)}
		return r.fail(errHandshakeDenied)
	case err != nil:
		x.away = true
		return r.later()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x.client = c
	r.Successful = true
	r.Version, r.MinimumVersion, r.ClientID = "1.0", "1.0", c.id
	r.SupportedConnectionTypes = s.opts.connectionTypes()
	r.Advice = s.retryLocked(c)
	if ack {
		r.Ext = &ext{Ack: true}
	}
	return r
}

// disconnect ends x's client. A connect that is held is told so.
func (s *Server) disconnect(x *exchange, m *message) reply {
	r := m.reply()
	s.mu.Lock()
	x.client.parting = None
	s.removeLocked(x.client, closed)
	s.mu.Unlock()
	s.forget(x.client)
	r.Successful = true
	return r
}

// kept has x's client changed as m asks where it is served, and sees to it that the change goes with it.
func (s *Server) kept(x *exchange, m *message, change func(*exchange, *message) reply) reply {
	for tries := range takeovers {
		r := change(x, m)
		if s.save(x.client) {
			return r
		}
		s.takeAnew(x, m, tries)
		if x.client == nil {
			break
		}
	}
	return x.unknown(m)
}

// subscribe adds patterns to x's client, unless they are more than one may have. The first that is refused ends it;
// those before it stay.
func (s *Server) subscribe(x *exchange, m *message) reply {
	r := m.reply()
	patterns, wrong := m.subscriptions()
	if wrong != "" {
		return r.fail(wrong)
	}
	if len(patterns) > s.opts.MaxSubscriptions {
		r.Subscription = m.Subscription
		return r.fail(errSubscribeFailed)
	}
	for _, pattern := range patterns {
		if !validChannel(pattern, true) {
			return r.fail(errSubscriptionInvalid)
		}
	}
	r.Subscription = m.Subscription
	for _, pattern := range patterns {
		wrong = s.subscribeTo(x, pattern)
		if wrong == errUnknownClient {
			return r.unknown()
		}
		if wrong != "" {
			return r.fail(wrong)
		}
	}
	r.Successful = true
	return r
}

// subscribeTo adds one pattern and returns the error to answer, or "". Subscribing again is success,
// and so is subscribing to a service channel, which nobody can.
func (s *Server) subscribeTo(x *exchange, pattern string) string {
	switch {
	case metaExists(pattern):
		return fmt.Sprintf(errSubscribeDenied, denied)
	case isMeta(pattern):
		return fmt.Sprintf(errSubscribeCreate, denied)
	case isService(pattern):
		return ""
	}
	if s.opts.Subscribe != nil {
		why := s.opts.Subscribe(x.owner, pattern)
		if why != "" {
			return fmt.Sprintf(errSubscribeDenied, why)
		}
	}
	added, wrong := s.addPattern(x.client, pattern)
	if added && s.opts.Subscribed != nil {
		s.opts.Subscribed(x.owner, x.client.id, pattern)
	}
	return wrong
}

// addPattern reports whether pattern is new to c, and the error to answer if it cannot be added.
func (s *Server) addPattern(c *client, pattern string) (bool, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case c.gone:
		return false, errUnknownClient
	case c.subscribedTo(pattern):
		return false, ""
	case len(c.patterns) >= s.opts.MaxSubscriptions:
		return false, errSubscribeFailed
	}
	c.patterns = append(c.patterns, Subscription{pattern, c.tail})
	return true, ""
}

// unsubscribe takes patterns from x's client, unless they are more than one may have. The first that cannot be taken
// ends it.
func (s *Server) unsubscribe(x *exchange, m *message) reply {
	r := m.reply()
	patterns, wrong := m.subscriptions()
	if wrong != "" {
		return r.fail(wrong)
	}
	r.Subscription = m.Subscription
	if len(patterns) > s.opts.MaxSubscriptions {
		return r.fail(errUnsubscribeFailed)
	}
	for _, pattern := range patterns {
		wrong = s.unsubscribeFrom(x.client, pattern)
		if wrong != "" {
			return r.fail(wrong)
		}
	}
	r.Successful = true
	return r
}

// unsubscribeFrom takes one pattern from c and returns the error to answer, or "". CometD knows a
// channel while anybody is subscribed to it, and then does not mind that c is not; what other owners
// do is not shown, so here only a client of the same owner makes a channel known. Looking through all
// of theirs takes long enough that everybody else is let in before the next pattern.
//
// Source: CometD 3.1, BayeuxServerImpl.UnsubscribeHandler and ServerChannelImpl.unsubscribe.
func (s *Server) unsubscribeFrom(c *client, pattern string) string {
	switch {
	case metaExists(pattern):
		return errUnsubscribeFailed
	case isService(pattern):
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.ContainsFunc(s.owners[c.owner], func(other *client) bool { return other.subscribedTo(pattern) }) {
		return errUnsubscribeUnknown
	}
	c.patterns = slices.DeleteFunc(c.patterns, func(one Subscription) bool { return one.Pattern == pattern })
	return ""
}

// publish hands what a client publishes to whoever wants it, by default to nobody.
func (s *Server) publish(x *exchange, m *message) reply {
	r := m.reply()
	switch {
	case !validChannel(m.Channel, false):
		return r.fail(errChannelInvalid)
	case isMeta(m.Channel):
		return r.fail(fmt.Sprintf(errCreateDenied, denied))
	}
	why := denied
	if s.opts.Publish != nil {
		data := m.Data
		if data == nil {
			data = json.RawMessage("null")
		}
		why = s.opts.Publish(x.owner, m.Channel, data)
	}
	if why != "" {
		return r.fail(fmt.Sprintf(errPublishDenied, why))
	}
	r.Successful = true
	return r
}
