package htcc

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What the server may advise.
const (
	defaultHold = time.Minute // of a connect, when the server names no time: that of the usual client
	longestHold = 5 * time.Minute
	longestRest = time.Minute
)

var (
	errNoReply   = errors.New("the answer holds no reply")
	errRefused   = errors.New("refused")
	errHandshake = errors.New("the server asks for a new handshake")
	errStopped   = errors.New("the server asks to stop")
	errNoPolling = errors.New("the server has no long-polling")
	errNoClient  = errors.New("a handshake without clientId")
)

// A link is our end of one Bayeux session: it makes the requests and keeps what the replies say. It
// sends nothing. One goroutine uses it. The zero link has shaken no hands.
//
// Source: Bayeux 1.0; CometD reference, Acknowledged messages.
type link struct {
	lastID   int
	clientID string // "" before the handshake, and once the session is lost

	acks  bool  // the server numbers what it sends until we confirm it
	acked int64 // last batch that was received whole

	hold time.Duration // how long the server holds a connect
	rest time.Duration // to wait between connects
}

// request returns a message with the next id.
func (l *link) request(channel string) bayeuxRequest {
	l.lastID++
	return bayeuxRequest{ID: strconv.Itoa(l.lastID), Channel: channel, ClientID: l.clientID}
}

// handshake forgets the session and asks for another.
func (l *link) handshake() bayeuxRequest {
	*l = link{lastID: l.lastID, hold: defaultHold, rest: l.rest}
	r := l.request(metaHandshake)
	r.Version, r.MinimumVersion = bayeuxVersion, bayeuxVersion
	r.SupportedConnectionTypes = []string{longPolling}
	r.Ext = map[string]any{"ack": true}
	return r
}

// subscribe asks for topics, one request each.
func (l *link) subscribe(topics []string) []bayeuxRequest {
	requests := make([]bayeuxRequest, len(topics))
	for i, topic := range topics {
		requests[i] = l.request(metaSubscribe)
		requests[i].Subscription = topic
	}
	return requests
}

// connect asks for what there is, at once or as soon as there is something.
func (l *link) connect(atOnce bool) bayeuxRequest {
	r := l.request(metaConnect)
	r.ConnectionType = longPolling
	if atOnce {
		r.Advice = map[string]int{"timeout": 0}
	}
	if l.acks {
		r.Ext = map[string]any{"ack": l.acked}
	}
	return r
}

// disconnect ends the session.
func (l *link) disconnect() bayeuxRequest { return l.request(metaDisconnect) }

// lose forgets the session.
func (l *link) lose() { l.clientID = "" }

// shaken takes the answer to a handshake.
func (l *link) shaken(sent bayeuxRequest, got []bayeuxReply) error {
	reply, err := replyTo(sent, got)
	if err != nil {
		return err
	}
	err = l.advised(reply)
	if err != nil {
		return err
	}
	if reply.ClientID == "" {
		return errNoClient
	}
	if len(reply.SupportedConnectionTypes) > 0 && !slices.Contains(reply.SupportedConnectionTypes, longPolling) {
		return errNoPolling
	}
	l.clientID = reply.ClientID
	l.acks, l.acked = reply.acks()
	return nil
}

// connected takes the answer to a connect, and returns the events in it that are new. Where the
// server numbers what it sends, an answer without a reply will come again, and one whose number
// was confirmed before has come again: neither has anything new.
func (l *link) connected(sent bayeuxRequest, got []bayeuxReply) ([]bayeuxReply, error) {
	events := eventsIn(got)
	reply, err := replyTo(sent, got)
	if errors.Is(err, errNoReply) && l.acks {
		return nil, err
	}
	batch, numbered := reply.ack()
	if l.acks && numbered {
		if batch <= l.acked {
			events = nil
		}
		l.acked = max(l.acked, batch)
	}
	if err != nil {
		return events, err
	}
	return events, l.advised(reply)
}

// advised keeps the advice of a reply, which replaces all earlier, and says whether the session
// goes on. What was refused without advice is begun anew: we could go on asking for ever.
func (l *link) advised(reply bayeuxReply) error {
	reconnect := ""
	if reply.Advice != nil {
		reconnect = reply.Advice.Reconnect
		l.hold = span(reply.Advice.Timeout, defaultHold, longestHold)
		l.rest = span(reply.Advice.Interval, 0, longestRest)
		if reply.Advice.Interval != nil && *reply.Advice.Interval < 0 {
			reconnect = reconnectNone
		}
	}
	switch {
	case reconnect == reconnectNone:
		return refusedWith(errStopped, reply)
	case reconnect == reconnectHandshake && !(reply.Successful && reply.Channel == metaHandshake),
		!reply.Successful && reconnect != reconnectRetry:
		return refusedWith(errHandshake, reply)
	case !reply.Successful:
		return refusedWith(errRefused, reply)
	default:
		return nil
	}
}

// span reads milliseconds: absent and negative ones are the default, and none is too long.
func span(ms *float64, absent, longest time.Duration) time.Duration {
	switch {
	case ms == nil || !(*ms >= 0):
		return absent
	case *ms >= float64(longest/time.Millisecond):
		return longest
	default:
		return time.Duration(*ms * float64(time.Millisecond))
	}
}

// refusedWith adds what the server said.
func refusedWith(err error, reply bayeuxReply) error {
	if reply.Error == "" {
		return fmt.Errorf("%s: %w", reply.Channel, err)
	}
	said := strings.ToValidUTF8(reply.Error[:min(len(reply.Error), maxMessage)], "")
	return fmt.Errorf("%s: %w: %s", reply.Channel, err, said)
}

// replyTo returns the reply to a request. It fails with errNoReply.
func replyTo(sent bayeuxRequest, got []bayeuxReply) (bayeuxReply, error) {
	for _, reply := range got {
		if reply.answers(sent) {
			return reply, nil
		}
	}
	return bayeuxReply{}, fmt.Errorf("%s: %w", sent.Channel, errNoReply)
}

// eventsIn returns the events of an answer, in order.
func eventsIn(got []bayeuxReply) []bayeuxReply {
	var events []bayeuxReply
	for _, reply := range got {
		if reply.event() {
			events = append(events, reply)
		}
	}
	return events
}
