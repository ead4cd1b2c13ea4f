package htcc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Channels of the protocol itself.
//
// Source: Bayeux 1.0, section 3.
const (
	metaHandshake  = "/meta/handshake"
	metaConnect    = "/meta/connect"
	metaSubscribe  = "/meta/subscribe"
	metaDisconnect = "/meta/disconnect"

	metaChannels = "/meta/"
)

// longPolling is the only connection type of ours; the site's servers have no other that matters.
//
// Source: GWS deployment guide, CometD: no web sockets.
const longPolling = "long-polling"

const bayeuxVersion = "1.0"

// A bayeuxRequest is a message to the server.
type bayeuxRequest struct {
	ID                       string         `json:"id"`
	Channel                  string         `json:"channel"`
	ClientID                 string         `json:"clientId,omitempty"`
	Version                  string         `json:"version,omitempty"`
	MinimumVersion           string         `json:"minimumVersion,omitempty"`
	SupportedConnectionTypes []string       `json:"supportedConnectionTypes,omitempty"`
	ConnectionType           string         `json:"connectionType,omitempty"`
	Subscription             string         `json:"subscription,omitempty"`
	Advice                   map[string]int `json:"advice,omitempty"`
	Ext                      map[string]any `json:"ext,omitempty"`
}

// A bayeuxReply is a message of the server: the reply to a request, or, with data, an event.
type bayeuxReply struct {
	ID                       json.RawMessage `json:"id"`
	Channel                  string          `json:"channel"`
	ClientID                 string          `json:"clientId"`
	SupportedConnectionTypes []string        `json:"supportedConnectionTypes"`
	Successful               bool            `json:"successful"`
	Error                    string          `json:"error"`
	Advice                   *advice         `json:"advice"`
	Ext                      struct {
		Ack json.RawMessage `json:"ack"`
	} `json:"ext"`
	Data json.RawMessage `json:"data"`
}

// advice is what the server asks of us. Times are milliseconds; nil means not said.
//
// Source: Bayeux 1.0, section 2.7.
type advice struct {
	Reconnect string   `json:"reconnect"`
	Interval  *float64 `json:"interval"`
	Timeout   *float64 `json:"timeout"`
}

// Values of advice.Reconnect.
const (
	reconnectRetry     = "retry"
	reconnectHandshake = "handshake"
	reconnectNone      = "none"
)

// event reports a message for the application.
func (r bayeuxReply) event() bool {
	return r.Data != nil && !strings.HasPrefix(r.Channel, metaChannels)
}

// answers reports the reply to a request. An id that is missing does no harm; one that is another
// belongs to a request given up earlier.
func (r bayeuxReply) answers(request bayeuxRequest) bool {
	if r.Channel != request.Channel || r.event() {
		return false
	}
	return r.ID == nil || string(bytes.Trim(r.ID, `"`)) == request.ID
}

// ack returns the number of the batch that a reply to a connect confirms, and whether it has one.
func (r bayeuxReply) ack() (int64, bool) {
	var batch int64
	err := json.Unmarshal(r.Ext.Ack, &batch)
	return batch, err == nil
}

// nothingYet is the number of a batch before the first.
const nothingYet = -1

// acks reports whether a reply to a handshake takes up the acknowledgement extension, with true or
// with an object that says so, and the number of the last batch that came with it.
//
// Source: CometD reference, Acknowledged messages.
func (r bayeuxReply) acks() (bool, int64) {
	var enabled bool
	err := json.Unmarshal(r.Ext.Ack, &enabled)
	if err == nil {
		return enabled, nothingYet
	}
	extended := struct {
		Enabled bool  `json:"enabled"`
		Batch   int64 `json:"batch"`
	}{Batch: nothingYet}
	err = json.Unmarshal(r.Ext.Ack, &extended)
	return err == nil && extended.Enabled, extended.Batch
}

var errNoChannel = errors.New("message without channel")

// decodeReplies reads the array of messages that an answer is; one message alone will do. A message
// that cannot be read does not cost the others: it is one of the errors.
func decodeReplies(body []byte) ([]bayeuxReply, []error) {
	var items []json.RawMessage
	text := bytes.TrimSpace(body)
	switch {
	case bytes.HasPrefix(text, []byte("{")):
		items = []json.RawMessage{text}
	default:
		err := json.Unmarshal(text, &items)
		if err != nil {
			return nil, []error{fmt.Errorf("htcc: decode messages: %w", err)}
		}
	}
	var replies []bayeuxReply
	var failures []error
	for _, item := range items {
		var reply bayeuxReply
		err := json.Unmarshal(item, &reply)
		if err == nil && reply.Channel == "" {
			err = errNoChannel
		}
		if err != nil {
			failures = append(failures, fmt.Errorf("htcc: decode message: %w", err))
			continue
		}
		replies = append(replies, reply)
	}
	return replies, failures
}
