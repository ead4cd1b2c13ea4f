package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"portico/proxy/session"
	"portico/translate"
	"portico/translate/htccapi"
)

// What an agent asked for and a site does not know, such as which channels were started, goes with the
// session: an operation at another replica must not offer work on a channel that nobody asked for.

// wishes returns what the agent asked for here, by site.
func (a *Agent) wishes() map[string][]byte {
	all := map[string][]byte{}
	for _, p := range a.parts {
		wishes := p.wishes()
		if wishes != nil {
			all[p.siteName()] = wishes
		}
	}
	return all
}

// recall takes what the store says the agent asked for elsewhere, as far as it is new here. Who asked the store before
// the agent's last operation may come here after it.
func (a *Agent) recall(s session.Session) {
	news := a.learnWishes(s)
	for _, p := range a.parts {
		site := p.siteName()
		if slices.Contains(news, site) {
			p.recall(s.Wishes[site])
		}
	}
}

// recallBack is recall of what was brought back at a site, for an operation, which goes before all else.
func (a *Agent) recallBack(site string, s session.Session) {
	for _, p := range a.atHTCC() {
		if p.siteName() == site && a.operating.Load() > 0 {
			p.recallBack(s.Wishes[site])
		}
	}
}

// learnWishes notes what the store has of the agent's wishes, and returns the sites where it is new. What it seems to
// have lost is looked into.
func (a *Agent) learnWishes(s session.Session) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	news, behind := a.ledger.Learn(s, a.siteNames(), a.operating.Load() > 0)
	if behind && a.gateway.fleet != nil {
		a.gateway.fleet.unstored.owe(a)
	}
	return news
}

// doubt has it looked into whether the store has lost what the agent asked for.
func (a *Agent) doubt() {
	a.mu.Lock()
	a.ledger.Doubt()
	a.mu.Unlock()
	a.gateway.fleet.unstored.owe(a)
}

// unsave notes that what an operation has changed here, since the wishes were as before, was asked for now.
func (a *Agent) unsave(before map[string][]byte) {
	mine := a.wishes()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ledger.Ask(before, mine, time.Now())
}

// hasUntoldWishes reports whether the store is to be told of wishes that it could not be told of, or may have lost.
func (a *Agent) hasUntoldWishes() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ledger.Owes()
}

// forgetUnsaved leaves the wishes of a session that has ended.
func (a *Agent) forgetUnsaved() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ledger.Forget()
}

// isKnownWish reports whether the store was last known to have this of a site's wishes.
func (a *Agent) isKnownWish(site string, wish []byte) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ledger.Has(site, wish)
}

// shareWishes puts in the store what the agent asked for here, and takes from it what they asked for elsewhere
// since.
func (f *fleet) shareWishes(ctx context.Context, a *Agent) error {
	mine := a.wishes()
	a.mu.Lock()
	report, untold := a.ledger.Report(mine)
	a.mu.Unlock()
	if !untold {
		return nil
	}
	restored := false
	is, err := f.gateway.store.Update(ctx, a.session.ID, func(s *session.Session) { restored = report.Put(s, time.Now()) })
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.ledger.Told(report, is)
	a.mu.Unlock()
	a.recall(is)
	if restored && time.Since(a.remade.Time()) >= remadeFor {
		f.gateway.log.Error("the session store has lost what an agent asked for last, which was put there again", "session", a.short)
		f.makeGood(a)
	}
	return nil
}

// shareWishes is that of the fleet, if there are other replicas. If it fails the next report does.
func (a *Agent) shareWishes(ctx context.Context) {
	if a.gateway.fleet != nil {
		_ = a.gateway.fleet.shareWishes(ctx, a)
	}
}

// saveWishes puts in the store what the agent asked for here while it did not answer, and what it has lost.
func (f *fleet) saveWishes(ctx context.Context, a *Agent) {
	if !a.hasUntoldWishes() {
		return
	}
	err := f.shareWishes(ctx, a)
	if errors.Is(err, session.ErrNotFound) {
		a.forgetUnsaved()
	}
}

// icwsWishes are those of an agent at an ICWS site.
type icwsWishes struct {
	translate.Asked
	Owed   []htccapi.MediaChannel // as icwsPart.owed: nil is not none
	Starts int                    `json:",omitempty"` // as icwsPart.starts
}

func (p *icwsPart) wishes() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	is := icwsWishes{Owed: p.owed, Starts: p.starts}
	switch {
	case p.begun:
		is.Asked = p.state.Asked()
	case p.owed == nil:
		return nil
	case p.asked != nil:
		is.Asked = *p.asked
	}
	return mustEncode(is)
}

// recall takes what the agent asked for at another replica.
func (p *icwsPart) recall(wishes []byte) {
	var is icwsWishes
	err := json.Unmarshal(wishes, &is)
	if err != nil {
		p.warn("what the agent asked for at another replica cannot be read", err)
		return
	}
	p.mu.Lock()
	p.asked, p.owed, p.starts = &is.Asked, is.Owed, is.Starts
	p.moments.recalled++
	p.mu.Unlock()
	p.update(func(s translate.AgentState, d *translate.Directory) (translate.AgentState, translate.Heard) {
		return s.Recalled(is.Asked, d), translate.Heard{}
	})
	p.amend(false)
}

// htccWishes are those of an agent at an HTCC site, as the part holds them and the store has them.
type htccWishes struct {
	Asked   []htccapi.MediaChannel // by the last Start
	Unasked []htccapi.MediaChannel `json:",omitempty"` // that it did not ask for, and the agent still works on
	Unread  bool                   `json:",omitempty"` // the site was not read before it, and Unasked are all
	Started json.RawMessage        // its body; nil before it
	Left    []htccapi.MediaChannel `json:",omitempty"` // of those asked for, what the agent set Offline, or the reader saw left
	Starts  int                    `json:",omitempty"` // how many there were: one that asks for the same again is later than one of another replica
	Back    []htccapi.MediaChannel `json:",omitempty"` // brought back, and not seen out of work yet
}

func (p *htccPart) wishes() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wish.Started == nil {
		return nil
	}
	return mustEncode(p.wish)
}

// recallBack takes which channels another replica brought back, for an operation that goes on with the upstream session
// which that one opened. It goes before all else that was asked for elsewhere, but what it does not name is still to be
// taken out of work.
func (p *htccPart) recallBack(wishes []byte) {
	var is htccWishes
	err := json.Unmarshal(wishes, &is)
	if err != nil {
		return
	}
	p.mu.Lock()
	p.wish.Back = is.Back
	p.mu.Unlock()
	if p.agent.readsHere() {
		p.quietenOn()
	}
}

func (p *htccPart) recall(wishes []byte) {
	var is htccWishes
	err := json.Unmarshal(wishes, &is)
	if err != nil {
		p.warn("what the agent asked for at another replica cannot be read", err)
		return
	}
	more := false
	p.change(func() {
		more = slices.ContainsFunc(is.Back, func(name htccapi.MediaChannel) bool { return !slices.Contains(p.wish.Back, name) })
		p.wish = is
	})
	if more && p.agent.readsHere() {
		p.quietenOn()
	}
	p.amend(false)
}
