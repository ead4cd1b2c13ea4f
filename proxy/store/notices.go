package store

import (
	"context"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"portico/proxy/push"
)

// noticesWaiting is how many notices wait for whoever hears them.
const noticesWaiting = 10_000

// Listen implements push.Journal. Whenever the subscription begins anew, notices may have been lost.
func (j journal) Listen(ctx context.Context, hear func(push.Notice)) error {
	e := j.newEar()
	j.ears.add(e)
	defer func() {
		j.ears.remove(e)
		_ = e.close()
	}()
	e.subscribe("portico:replica:" + j.me)
	e.listen()
	for {
		select {
		case <-ctx.Done():
			return nil
		case what, open := <-e.came:
			if !open {
				return nil
			}
			hear(j.notice(what))
		}
	}
}

// notice reads what came. What cannot be read was lost.
func (j journal) notice(came any) push.Notice {
	message, ok := came.(*redis.Message)
	if !ok {
		return push.Notice{Missed: true}
	}
	n, err := j.parse(message.Payload)
	if err != nil {
		return push.Notice{Missed: true}
	}
	return n
}

// parse reads a notice: a letter that tells what it is, a number, a blank, and a sealed note.
func (j journal) parse(text string) (push.Notice, error) {
	head, sealed, found := strings.Cut(text, " ")
	if !found || head == "" {
		return push.Notice{}, errNotice
	}
	count, err := strconv.ParseUint(head[1:], 10, 64)
	if err != nil {
		return push.Notice{}, err
	}
	is, err := j.unsealed(sealed)
	if err != nil {
		return push.Notice{}, err
	}
	switch head[0] {
	case 'e':
		event := is.entry(count)
		return push.Notice{Owner: is.Owner, Event: &event}, nil
	case 'm':
		return push.Notice{Owner: is.Owner, Client: is.Client, Turn: count, Connecting: is.Connecting}, nil
	case 'x':
		return push.Notice{Owner: is.Owner, Ended: true, Advice: is.Advice}, nil
	}
	return push.Notice{}, errNotice
}
