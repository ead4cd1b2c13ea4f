package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"portico/proxy/fault"
	"portico/proxy/htcc"
	"portico/proxy/upstream"
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
	defer p.operated(p.toldSoFar())
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
		_, err = p.post(ctx, htcc.ChannelPath(ask.Channel), body)
		if err == nil {
			p.wanted(ask.Channel, ask.Operation)
		}
		return each([]htccapi.MediaChannel{ask.Channel}, err), nil
	}
	if !p.agent.readsHere() { // nobody tells which channels there are
		_, err = p.show(ctx)
		if err == nil && p.isAway() {
			err = fault.New(fault.Unreachable, "the contact centre cannot be reached")
		}
		if err != nil {
			return nil, err
		}
	}
	if isDND(ask.Operation) {
		outcome, err := p.post(ctx, htcc.PathMe, body)
		if err != nil {
			return each(covered(p, ask), err), nil
		}
		return expand(covered(p, ask), outcome.Failed), nil
	}
	results := p.leave(ctx)
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
	known := p.agent.readsHere() || p.refresh(ctx) == nil
	p.owe(mine, ask, known) // also if it fails: these count from now on
	left := p.leave(ctx)
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

// owes notes which channels a Start asks for that could not be tried.
func (p *htccPart) owes(channels []htccapi.MediaChannel, ask Ask) {
	p.owe(channels, ask, p.agent.readsHere())
}

// owe notes which channels a Start asks for, and which others the agent works on by then. Unless it is known they may
// work on any.
func (p *htccPart) owe(channels []htccapi.MediaChannel, ask Ask, known bool) {
	p.change(func() {
		var unasked []htccapi.MediaChannel
		for _, name := range p.owned {
			works := !known || p.presentLocked(name) || p.behindLocked() && slices.Contains(p.asked, name)
			if works && !slices.Contains(channels, name) {
				unasked = append(unasked, name)
			}
		}
		p.asked, p.unasked, p.started = channels, unasked, ask.Body
		p.starts++
	})
}

// wanted notes that the agent has set a channel themselves: it is not to be left any more, and counts from now on, unless
// they set it Offline.
func (p *htccPart) wanted(channel htccapi.MediaChannel, op htccapi.Operation) {
	if isDND(op) {
		return
	}
	p.change(func() {
		p.unasked = without(p.unasked, channel)
		if op != htccapi.Offline && p.started != nil && !slices.Contains(p.asked, channel) {
			p.asked = append(slices.Clone(p.asked), channel)
		}
	})
}

// leave takes the agent from the channels that the last Start did not ask for, which count until that has worked, and
// returns what failed. Where a site knows no Offline they are out of work at least. The caller holds writing.
func (p *htccPart) leave(ctx context.Context) []result {
	p.mu.Lock()
	unasked := slices.Clone(p.unasked)
	p.mu.Unlock()
	var failed []result
	for _, name := range unasked {
		_, err := p.post(ctx, htcc.ChannelPath(name), offline)
		if err != nil && !upstream.IsAway(err) {
			_, again := p.post(ctx, htcc.ChannelPath(name), notReady)
			if again == nil {
				err = nil
			}
		}
		if err != nil {
			failed = append(failed, result{name, err})
			continue
		}
		p.change(func() { p.unasked = without(p.unasked, name) })
	}
	return failed
}

var offline = json.RawMessage(`{"operationName":"Offline"}`)

// startAll starts the contact centre session of an agent who works on this site alone.
func (p *htccPart) startAll(ctx context.Context, channels []htccapi.MediaChannel, body json.RawMessage) (Outcome, error) {
	p.mu.Lock()
	p.asked, p.started = channels, body
	p.starts++
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

func (p *htccPart) isAway() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.away
}
