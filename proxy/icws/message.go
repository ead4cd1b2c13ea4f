package icws

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"portico/translate/icwsapi"
)

var errNoType = errors.New("message without __type")

// DecodeMessage reads one message of a session's queue. A type that Portico does not know gives an
// icwsapi.Head; types are never pointers. It fails on what is no JSON object, has no __type, or
// does not fit the type it names.
//
// Source: ICWS, Concepts: Representation format (__type); ICWS JavaScript library.
func DecodeMessage(b []byte) (icwsapi.Message, error) {
	message, ok := plainMessage(b)
	if !ok {
		message, ok = decodeNamed(b)
	}
	if ok {
		return message, nil
	}
	return decodeMessage(b)
}

func decodeMessage(b []byte) (icwsapi.Message, error) {
	var head icwsapi.Head
	err := json.Unmarshal(b, &head)
	if err != nil {
		return nil, fmt.Errorf("icws: decode message: %w", err)
	}
	if head.Type == "" {
		return nil, fmt.Errorf("icws: decode message: %w", errNoType)
	}
	decode, ok := decoders[head.Type]
	if !ok {
		return head, nil
	}
	message, err := decode(b)
	if err != nil {
		return nil, fmt.Errorf("icws: decode message %s: %w", head.Type, err)
	}
	return message, nil
}

// typeFirst is how sites begin a message.
var typeFirst = []byte(`{"__type":"`)

// decodeNamed reads a message whose type comes first, as in all that sites send, without reading it twice, which
// is most of what a message costs. It reports false of all that need another look.
func decodeNamed(b []byte) (icwsapi.Message, bool) {
	rest, ok := bytes.CutPrefix(b, typeFirst)
	name, _, closed := bytes.Cut(rest, []byte(`"`))
	decode := decoders[string(name)]
	if !ok || !closed || decode == nil {
		return nil, false
	}
	message, err := decode(b)
	if err != nil || message.MessageType() != string(name) { // another one may come later
		return nil, false
	}
	return message, true
}

var decoders = map[string]func([]byte) (icwsapi.Message, error){
	icwsapi.TypeAsyncOperationCompleted: decodeAs[icwsapi.AsyncOperationCompletedMessage],
	icwsapi.TypeSubscriptionState:       decodeAs[icwsapi.SubscriptionStateMessage],
	icwsapi.TypeUserStatus:              decodeAs[icwsapi.UserStatusMessage],
	icwsapi.TypeStatusMessages:          decodeAs[icwsapi.StatusMessagesMessage],
	icwsapi.TypeUserAccess:              decodeAs[icwsapi.UserAccessMessage],
	icwsapi.TypeUserActivation:          decodeAs[icwsapi.UserActivationMessage],
	icwsapi.TypeConnectionStateChange:   decodeAs[icwsapi.ConnectionStateChangeMessage],
	icwsapi.TypeEffectiveStationChange:  decodeAs[icwsapi.EffectiveStationChangeMessage],
}

func decodeAs[M icwsapi.Message](b []byte) (icwsapi.Message, error) {
	var message M
	err := json.Unmarshal(b, &message)
	if err != nil {
		return nil, err
	}
	return message, nil
}

// decodeMessages reads the array of a poll, or the one message of an event. A message that cannot
// be read does not cost the others: it is one of the errors.
func decodeMessages(b []byte) ([]icwsapi.Message, []error) {
	if !bytes.HasPrefix(bytes.TrimSpace(b), []byte("[")) {
		message, err := DecodeMessage(b)
		if err != nil {
			return nil, []error{err}
		}
		return []icwsapi.Message{message}, nil
	}
	var items []json.RawMessage
	err := json.Unmarshal(b, &items)
	if err != nil {
		return nil, []error{fmt.Errorf("icws: decode messages: %w", err)}
	}
	var messages []icwsapi.Message
	var failures []error
	for _, item := range items {
		message, err := DecodeMessage(item)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		messages = append(messages, message)
	}
	return messages, failures
}
