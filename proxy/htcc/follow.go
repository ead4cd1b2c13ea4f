package htcc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"portico/proxy/fault"
	"portico/proxy/upstream"
	"portico/translate/htccapi"
)

// Topics that a reader subscribes to. A star stands for one more segment, so that the first is not
// in the second. Without the second there is nothing to receive; the others can be done without.
//
// Source: GWS 8.5.2, Asynchronous events; Bayeux 1.0, section 2.2.
const (
	topicMe  = "/v2/me"
	topicAll = "/v2/me/*"
)

var topics = []string{topicMe, topicAll, htccapi.TopicServices}

// maxMessages is how long one answer of messages may be, in bytes.
const maxMessages = 4 << 20

// A delivery is what one answer brought.
type delivery struct {
	replies  []bayeuxReply
	failures []error // of messages that could not be read
	err      error
	took     time.Duration
}

// receive receives until something breaks, on the Bayeux session there is, else on a new one.
func (r *reader) receive(ctx context.Context) error {
	if r.link.clientID == "" {
		err := r.join(ctx)
		if err != nil {
			r.link.lose()
			return err
		}
	}
	return r.follow(ctx)
}

// join shakes hands and subscribes.
func (r *reader) join(ctx context.Context) error {
	handshake := r.link.handshake()
	got := r.exchange(ctx, OpHandshake, 0, handshake)
	if got.err != nil {
		return got.err
	}
	r.unreadable(OpHandshake, got.failures)
	r.deliver(eventsIn(got.replies))
	err := r.link.shaken(handshake, got.replies)
	if err != nil {
		return err
	}
	requests := r.link.subscribe(topics)
	got = r.exchange(ctx, OpSubscribe, 0, requests...)
	if got.err != nil {
		return got.err
	}
	r.unreadable(OpSubscribe, got.failures)
	r.deliver(eventsIn(got.replies))
	return r.subscribed(requests, got.replies)
}

// subscribed takes the answer to the subscriptions.
func (r *reader) subscribed(requests []bayeuxRequest, got []bayeuxReply) error {
	for _, request := range requests {
		reply, err := replyTo(request, got)
		if err == nil && !reply.Successful {
			err = refusedWith(errRefused, reply)
		}
		if err == nil {
			continue
		}
		err = fmt.Errorf("subscribe to %s: %w", request.Subscription, err)
		if request.Subscription == topicAll {
			return err
		}
		r.problem(err)
	}
	return nil
}

// follow connects again and again. The first connect is answered at once and shows that the Bayeux
// session lives. The state is read beside those that follow.
func (r *reader) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	err := r.connected(r.connect(ctx, true, 0))
	if err != nil {
		cancel()
		return err
	}
	state := r.catchUp(ctx)
	defer state.wait()
	defer cancel()
	for quick := 0; err == nil; {
		next := r.connect(ctx, false, max(r.link.rest, patience(quick)))
		gone := r.attend(next, state)
		if gone != nil {
			cancel()
		}
		err = r.connected(next) // the server sends no more what it has answered with
		if gone != nil {
			return gone
		}
		quick++
		if next.got.took >= quickAnswer || len(eventsIn(next.got.replies)) > 0 {
			quick = 0
		}
	}
	return err
}

// A connecting is a connect under way.
type connecting struct {
	sent bayeuxRequest
	done chan struct{} // closed when got is set
	got  delivery
}

// connect sends a connect after a rest, in a goroutine of its own, which ends with ctx.
func (r *reader) connect(ctx context.Context, atOnce bool, rest time.Duration) *connecting {
	held := r.client.settings.Timeout
	if !atOnce {
		held += r.link.hold
	}
	c := &connecting{sent: r.link.connect(atOnce), done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.got.err = upstream.Sleep(ctx, rest)
		if c.got.err == nil {
			got, err := fault.Guarded(func() (delivery, error) { return r.exchange(ctx, OpConnect, held, c.sent), nil })
			c.got = got
			if err != nil { // a panic
				c.got.err = err
			}
		}
	}()
	return c
}

// connected waits for a connect and delivers what it brought.
func (r *reader) connected(c *connecting) error {
	<-c.done
	r.unreadable(OpConnect, c.got.failures)
	if c.got.err != nil {
		return c.got.err
	}
	if r.to.Alive != nil {
		r.to.Alive()
	}
	events, err := r.link.connected(c.sent, c.got.replies)
	r.deliver(events)
	return err
}

// unreadable tells of messages that could not be read.
func (r *reader) unreadable(operation string, failures []error) {
	for _, failure := range failures {
		r.client.metrics.APIError(operation, classGarbage)
		r.problem(failure)
	}
}

func (r *reader) deliver(events []bayeuxReply) {
	if r.to.Message == nil {
		return
	}
	for _, event := range events {
		r.to.Message(event.Channel, event.Data)
	}
}

// A connect that a server answers within quickAnswer with nothing in it was not held. Some of that
// is usual; a server that goes on so is asked less and less often, though it advises no interval.
const (
	quickAnswer = 500 * time.Millisecond
	usualQuick  = 2
	longestWait = 2 * time.Second // well below the time after which a client is given up
)

// patience returns how long to wait after a number of quick answers in a row.
func patience(quick int) time.Duration {
	if quick <= usualQuick {
		return 0
	}
	return min(50*time.Millisecond<<min(quick-usualQuick, 10), longestWait)
}

// exchange posts a batch of messages. It changes nothing of the reader.
//
// Source: CometD reference, long-polling: any answer but 200, and one without messages, is a
// failure of the transport.
func (r *reader) exchange(ctx context.Context, operation string, held time.Duration, batch ...bayeuxRequest) delivery {
	began := time.Now()
	body, err := json.Marshal(batch)
	if err != nil {
		return delivery{err: fmt.Errorf("%w: encode messages: %w", fault.Internal, err)}
	}
	reply, err := r.client.send(ctx, r.session, call{
		operation: operation,
		method:    http.MethodPost,
		path:      "/notifications",
		body:      body,
		maxReply:  maxMessages,
		held:      held,
	})
	if err != nil {
		return delivery{err: fmt.Errorf("%s: %w", operation, err)}
	}
	if reply.Status != http.StatusOK {
		return delivery{err: fmt.Errorf("%s: %w", operation, r.client.refused(operation, refusalOf(reply)))}
	}
	got := delivery{took: time.Since(began)}
	got.replies, got.failures = decodeReplies(reply.Body)
	if len(got.replies) == 0 {
		errs := append(slices.Clone(got.failures), errNoMessages)
		return delivery{err: fmt.Errorf("%s: %w", operation, r.client.garbage(operation, errors.Join(errs...)))}
	}
	return got
}

var errNoMessages = errors.New("an answer without messages")
