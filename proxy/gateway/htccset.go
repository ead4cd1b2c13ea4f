package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"portico/proxy/fault"
	"portico/proxy/htcc"
	"portico/translate/htccapi"
)

// forward posts an operation of an agent who works on this site alone: it goes as it came, whatever
// it is, and the answer comes back as the site gave it.
func (p *htccPart) forward(ctx context.Context, path string, body json.RawMessage) (Outcome, error) {
	release, err := p.agent.alone(ctx, p.writing)
	if err != nil {
		return Outcome{}, err
	}
	defer release()
	return p.post(ctx, path, body)
}

// post posts a body and returns what became of it. The caller holds writing.
func (p *htccPart) post(ctx context.Context, path string, body json.RawMessage) (Outcome, error) {
	before, owes := p.cameSoFar(), p.owes(path, body)
	var outcome htcc.Outcome
	err := p.call(ctx, func(s *htcc.Session) error {
		release, err := hold(ctx, p.orders.channel())
		if err != nil {
			return err
		}
		defer release()
		outcome, err = p.site.HTCC.Operation(ctx, s, path, body)
		if err == nil {
			p.heed(path, body, outcome)
		}
		return err
	})
	if err != nil || len(outcome.Failed) > 0 {
		owes = tally{} // what it did is for the site to say
	}
	p.operated(before, owes)
	if err != nil {
		return Outcome{}, err
	}
	answer, err := json.Marshal(withCode(outcome))
	if err != nil {
		return Outcome{}, fmt.Errorf("gateway: keep an answer: %w", err)
	}
	return Outcome{Succeeded: outcome.Succeeded, Failed: outcome.Failed, Answer: answer}, nil
}

// withCode returns an answer as it came, but for its verdict: callers get that as a statusCode that
// is a number, also from a site that has none, or writes it as a string.
func withCode(outcome htcc.Outcome) htcc.Object {
	var code int
	err := json.Unmarshal(outcome.Answer.Get("statusCode"), &code)
	if err == nil {
		return outcome.Answer
	}
	if outcome.Partial {
		code = htccapi.StatusPartial
	}
	return outcome.Answer.Without("status").With("statusCode", mustEncode(code))
}

// setDevice posts an operation on a device. Do-not-disturb, which is the agent's, ends only if that offers work on no channel
// that is to be left.
func (p *htccPart) setDevice(ctx context.Context, id string, ask Ask) (Outcome, error) {
	release, err := p.agent.alone(ctx, p.writing)
	if err != nil {
		return Outcome{}, err
	}
	defer release()
	failed := p.leave(ctx, "")
	if len(failed) > 0 && ask.Operation == htccapi.DoNotDisturbOff {
		return Outcome{}, failed[0].err
	}
	return p.post(ctx, htcc.DevicePath(id), ask.Body)
}

// set carries out an operation for an agent on two sites. State operations on all channels go to
// each channel that counts, since /me would change those of the other site too; do-not-disturb is
// the agent's.
func (p *htccPart) set(ctx context.Context, ask Ask) ([]result, error) {
	release, err := p.agent.alone(ctx, p.writing)
	if err != nil {
		return nil, err
	}
	defer release()
	body, err := withOperation(ask.Body, ask.Operation)
	if err != nil {
		return nil, err
	}
	if ask.Channel != "" {
		p.leave(ctx, ask.Channel)
		_, err = p.post(ctx, htcc.ChannelPath(ask.Channel), body)
		if err == nil {
			p.wanted(ask.Channel, ask.Operation)
		}
		return each([]htccapi.MediaChannel{ask.Channel}, err), nil
	}
	if !p.agent.readsHere() { // nobody tells which channels there are
		err = p.reach(ctx)
		if err != nil {
			return nil, err
		}
	}
	results := p.leave(ctx, "")
	if isDND(ask.Operation) {
		if len(results) > 0 && ask.Operation == htccapi.DoNotDisturbOff { // it would offer work on what is to be left
			return each(coveredBy(p, ask), results[0].err), nil
		}
		outcome, err := p.post(ctx, htcc.PathMe, body)
		if err != nil {
			return each(coveredBy(p, ask), err), nil
		}
		return expand(coveredBy(p, ask), outcome.Failed), nil
	}
	if offersNone(ask.Operation) {
		results = nil
	}
	for _, channel := range p.counted() {
		if slices.ContainsFunc(results, func(r result) bool { return r.channel == channel }) {
			continue // it is to be left, and not to be offered work
		}
		_, err = p.post(ctx, htcc.ChannelPath(channel), body)
		results = append(results, result{channel, err})
	}
	return results, nil
}

// withOperation returns the body with another operationName, and all its other members.
func withOperation(body json.RawMessage, op htccapi.Operation) (json.RawMessage, error) {
	return withMember(body, "operationName", op)
}

func withMember(body json.RawMessage, name string, value any) (json.RawMessage, error) {
	var object htcc.Object
	err := json.Unmarshal(body, &object)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the body must be a JSON object")
	}
	changed, err := json.Marshal(object.With(name, mustEncode(value)))
	if err != nil {
		return nil, fmt.Errorf("gateway: encode a body: %w", err)
	}
	return changed, nil
}

// start starts the contact centre session at the site, with this site's channels alone and all
// other members of the body.
func (p *htccPart) start(ctx context.Context, channels []htccapi.MediaChannel, ask Ask) ([]result, error) {
	release, err := p.agent.alone(ctx, p.writing)
	if err != nil {
		return nil, err
	}
	defer release()
	mine := slices.DeleteFunc(slices.Clone(channels), func(name htccapi.MediaChannel) bool { return !slices.Contains(p.owned, name) })
	var unread error
	if !p.knows() {
		unread = p.refresh(ctx)
	}
	p.owe(mine, ask, unread == nil) // also if it fails: these count from now on
	defer p.amend(false)
	left := p.leaveUnless(ctx, unread)
	if len(mine) == 0 {
		return left, nil
	}
	body, err := withMember(ask.Body, "channels", mine)
	if err != nil {
		return nil, err
	}
	outcome, err := p.post(ctx, htcc.PathMe, body)
	if err != nil {
		return append(left, each(mine, err)...), nil
	}
	return append(left, expand(mine, outcome.Failed)...), nil
}

// startAll starts the contact centre session of an agent who works on this site alone.
func (p *htccPart) startAll(ctx context.Context, channels []htccapi.MediaChannel, body json.RawMessage) (Outcome, error) {
	p.mu.Lock()
	p.wish.Asked, p.wish.Started = channels, body
	p.wish.Starts++
	p.mu.Unlock()
	return p.forward(ctx, htcc.PathMe, body)
}

// expand turns the site's list of failures into results for each channel: its entry "multimedia"
// stands for all but voice.
//
// Source: captured traffic of GWS 8.5.202.96.
func expand(channels []htccapi.MediaChannel, failed []htccapi.ChannelResult) []result {
	var results []result
	for _, channel := range channels {
		at := slices.IndexFunc(failed, func(f htccapi.ChannelResult) bool {
			return f.Channel == channel || f.Channel == htccapi.ChannelMultimedia && channel != htccapi.Voice
		})
		if at < 0 {
			results = append(results, result{channel, nil})
			continue
		}
		results = append(results, result{channel, &fault.Error{Kind: fault.BadUpstream, Public: failed[at].StatusMessage}})
	}
	return results
}
