package push

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"time"
)

// A message is what a client sends.
//
// Source: The Bayeux Protocol Specification 1.0, "Common Message Field Definitions".
type message struct {
	Channel      string          `json:"channel"`
	ID           json.RawMessage `json:"id"` // repeated in the reply as it came
	ClientID     string          `json:"clientId"`
	Subscription json.RawMessage `json:"subscription"` // a string or an array of them
	Data         json.RawMessage `json:"data"`
	Advice       json.RawMessage `json:"advice"`
	Ext          json.RawMessage `json:"ext"`
}

// wishes are what a connect says besides that its client is there.
type wishes struct {
	given    bool          // it carries advice, so it wants to be advised
	timeout  time.Duration // negative: none
	interval time.Duration // negative: none
	acks     bool          // it says which batch it has seen last
	acked    int64         // that batch
}

// wishes reads the advice and the acknowledgement of a connect. A hold or a pause longer than longest is cut to it,
// or one client could keep its place for ever. How long this takes is up to whoever sent m: it is no work for who
// holds Server.mu.
func (m *message) wishes(longest time.Duration) wishes {
	all := wishes{timeout: -1, interval: -1}
	all.acked, all.acks = m.acked()
	if isNull(m.Advice) { // as of nearly all
		return all
	}
	var advice struct{ Timeout, Interval *float64 } // milliseconds
	if json.Unmarshal(m.Advice, &advice) != nil {
		return all
	}
	wish := func(ms *float64) time.Duration {
		if ms == nil || *ms < 0 {
			return -1
		}
		return time.Duration(math.Min(*ms, float64(longest.Milliseconds()))) * time.Millisecond
	}
	all.given, all.timeout, all.interval = true, wish(advice.Timeout), wish(advice.Interval)
	return all
}

// wantsAck reports whether a handshake asks for the acknowledgement extension.
func (m *message) wantsAck() bool {
	var ext struct{ Ack bool }
	return !isNull(m.Ext) && json.Unmarshal(m.Ext, &ext) == nil && ext.Ack
}

// acked returns the last batch that a connect has seen, and whether it says so.
func (m *message) acked() (int64, bool) {
	if isNull(m.Ext) {
		return 0, false
	}
	var ext struct{ Ack *int64 }
	if json.Unmarshal(m.Ext, &ext) != nil || ext.Ack == nil {
		return 0, false
	}
	return *ext.Ack, true
}

// subscriptions returns the channels of a subscribe or unsubscribe, each once, or the error to answer.
func (m *message) subscriptions() ([]string, string) {
	if isNull(m.Subscription) {
		return nil, errSubscriptionMissing
	}
	var one string
	if json.Unmarshal(m.Subscription, &one) == nil {
		return []string{one}, ""
	}
	var several []string
	if json.Unmarshal(m.Subscription, &several) != nil || len(several) == 0 {
		return nil, errSubscriptionInvalid
	}
	known := make(map[string]bool, len(several))
	return slices.DeleteFunc(several, func(one string) bool {
		again := known[one]
		known[one] = true
		return again
	}), ""
}

func isNull(raw json.RawMessage) bool {
	return len(raw) == 0 || bytes.Equal(raw, []byte("null"))
}

// A reply answers one message.
type reply struct {
	ID                       json.RawMessage `json:"id,omitempty"`
	Channel                  string          `json:"channel,omitempty"`
	Successful               bool            `json:"successful"`
	Error                    string          `json:"error,omitempty"`
	Version                  string          `json:"version,omitempty"`
	MinimumVersion           string          `json:"minimumVersion,omitempty"`
	ClientID                 string          `json:"clientId,omitempty"`
	SupportedConnectionTypes []string        `json:"supportedConnectionTypes,omitempty"`
	Subscription             json.RawMessage `json:"subscription,omitempty"`
	Advice                   *advice         `json:"advice,omitempty"`
	Ext                      *ext            `json:"ext,omitempty"`
}

// ext is what the acknowledgement extension says: true in a handshake's reply, a batch number in a
// connect's.
type ext struct {
	Ack any `json:"ack"`
}

// Advice tells a client what to do once its connection ends.
type Advice string

const (
	None      Advice = "none"      // stop for good, until the application shakes hands again
	Handshake Advice = "handshake" // shake hands again
	retry     Advice = "retry"     // connect again
)

// advice is Advice with its circumstances. Times are in milliseconds.
//
// Source: The Bayeux Protocol Specification 1.0, "advice"; multiple-clients is CometD's.
type advice struct {
	MultipleClients bool   `json:"multiple-clients,omitempty"`
	Reconnect       Advice `json:"reconnect"`
	Interval        *int64 `json:"interval,omitempty"`
	Timeout         *int64 `json:"timeout,omitempty"`
}

// reply returns the start of the answer to m.
func (m *message) reply() reply {
	r := reply{Channel: m.Channel}
	if !isNull(m.ID) {
		r.ID = m.ID
	}
	return r
}

// fail makes r one that refuses for the reason that text gives.
func (r reply) fail(text string) reply {
	r.Successful, r.Error = false, text
	return r
}

// unknown makes r one to a client that is not, or no longer, known. Only a connect or a handshake is
// told to shake hands.
func (r reply) unknown() reply {
	r = r.fail(errUnknownClient)
	r.Advice = nil
	if r.Channel == metaConnect || r.Channel == metaHandshake {
		r.Advice = &advice{Reconnect: Handshake, Interval: milliseconds(0)}
	}
	return r
}

// later makes r one to a client of which nobody can say now whether it is known. It is to try again, under its id.
func (r reply) later() reply {
	r = r.fail(errJournalAway)
	r.Advice = nil
	switch r.Channel {
	case metaConnect:
		r.Advice = &advice{Reconnect: retry, Interval: milliseconds(askAgain)}
	case metaHandshake: // to retry would be to connect without an id
		r.Advice = &advice{Reconnect: Handshake, Interval: milliseconds(askAgain)}
	}
	return r
}

func milliseconds(d time.Duration) *int64 { return new(d.Milliseconds()) }

// The errors of CometD 3.1, spelt as it spells them; those with a verb take the reason of a policy.
// 3.1 fails the whole request over a channel that is none, so that error is of later versions.
//
// Source: CometD 3.1, BayeuxServerImpl.
const (
	errUnknownClient       = "402::Unknown client"
	errHandshakeDenied     = "403::Handshake denied"
	errChannelMissing      = "400::channel missing"
	errChannelInvalid      = "405::channel_invalid"
	errDeleted             = "404::message deleted"
	errCreateDenied        = "403:%s:create denied"
	errPublishDenied       = "403:%s:publish denied"
	errSubscriptionMissing = "403::subscription_missing"
	errSubscriptionInvalid = "403::subscription_invalid"
	errSubscribeCreate     = "403:%s:create_denied"
	errSubscribeDenied     = "403:%s:subscribe_denied"
	errSubscribeFailed     = "403::subscribe_failed"
	errUnsubscribeUnknown  = "400::channel_missing"
	errUnsubscribeFailed   = "403::unsubscribe_failed"

	errJournalAway = "503::Try again later" // ours: CometD shares nothing

	denied = "denied_by_security_policy" // the reason of CometD's default policy
)
