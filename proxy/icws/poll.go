package icws

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"portico/proxy/upstream"
	"portico/translate/icwsapi"
)

// Times between polls. The vendor's sample polls once a second.
const (
	nudgedPoll = 250 * time.Millisecond // after a write
	busyPoll   = time.Second            // after messages
	idlePoll   = 5 * time.Second        // when nothing happens
)

// poll subscribes and polls until a poll fails. A poll takes the messages off the site's queue, so
// those of an answer that was lost are lost, and only new snapshots make good for them.
//
// Source: ICWS reference, /icws/{sessionId}/messaging/messages.
func (r *reader) poll(ctx context.Context) error {
	err := r.subscribe(ctx)
	if err != nil {
		return err
	}
	interval := busyPoll
	for {
		body, err := r.client.messages(ctx, *r.conn)
		if err != nil {
			return err
		}
		r.alive()
		if !r.live {
			r.opened()
		}
		interval = slower(interval)
		if r.deliver(body) {
			interval = min(interval, busyPoll)
		}
		nudged, err := r.rest(ctx, interval)
		if err != nil {
			return err
		}
		if nudged {
			interval = nudgedPoll
			err = upstream.Sleep(ctx, interval)
			if err != nil {
				return err
			}
		}
	}
}

// slower returns the next interval when nothing happens.
func slower(interval time.Duration) time.Duration { return min(interval*3/2, idlePoll) }

// rest waits for the next poll, and reports whether a nudge cut that short.
func (r *reader) rest(ctx context.Context, interval time.Duration) (bool, error) {
	timer := time.NewTimer(interval)
	defer timer.Stop()
	select {
	case <-timer.C:
		return false, nil
	case <-r.to.Nudge:
		return true, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// Drain takes what is in the queue of a session that no Receive reads. What was readable is returned
// also with an error, which is fault.BadUpstream for what was not; else it fails as every call, with
// ErrSessionGone when the session is gone.
func (c *Client) Drain(ctx context.Context, conn Conn) ([]icwsapi.Message, error) {
	body, err := c.messages(ctx, conn)
	if err != nil {
		return nil, fmt.Errorf("icws: drain the queue: %w", err)
	}
	messages, failures := decodeMessages(body)
	return messages, errors.Join(failures...)
}

// messages takes what is in the session's queue: a JSON array.
func (c *Client) messages(ctx context.Context, conn Conn) ([]byte, error) {
	var body rawArray
	k := call{operation: OpMessages, method: http.MethodGet, path: "/messaging/messages", maxReply: maxCatalogue, once: true}
	err := c.do(ctx, conn, k, &body)
	return body, err
}

// A rawArray is a JSON array that is decoded later, item by item.
type rawArray []byte

// UnmarshalJSON keeps the text of an array and refuses all else.
func (a *rawArray) UnmarshalJSON(b []byte) error {
	if len(b) == 0 || b[0] != '[' {
		return errors.New("messages that are no array")
	}
	*a = append((*a)[:0], b...)
	return nil
}
