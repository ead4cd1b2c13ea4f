package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"

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
	if a.unsaved.Load() || !a.isNews(s) {
		return
	}
	for _, p := range a.parts {
		wishes := s.Wishes[p.siteName()]
		if wishes != nil && a.learnWish(p.siteName(), wishes) {
			p.recall(wishes)
		}
	}
}

// isNews reports whether what the store said of wishes is as new as what is known, and notes how new that is.
func (a *Agent) isNews(s session.Session) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s.Wished != 0 && s.Wished < a.session.Wished {
		return false
	}
	a.session.Wished = s.Wished
	return true
}

// learnWish notes what the store has of a site's wishes, and reports whether it is new.
func (a *Agent) learnWish(site string, wishes []byte) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if bytes.Equal(a.session.Wishes[site], wishes) {
		return false
	}
	a.session.Wishes = with(a.session.Wishes, site, wishes)
	return true
}

// shareWishes puts in the store what the agent asked for here, and takes from it what they asked for elsewhere
// since.
func (f *fleet) shareWishes(ctx context.Context, a *Agent) error {
	mine := a.wishes()
	a.mu.Lock()
	known := a.session.Wishes
	a.mu.Unlock()
	if maps.EqualFunc(mine, known, bytes.Equal) {
		a.unsaved.Store(false)
		return nil
	}
	late := a.unsaved.Load()
	is, err := f.gateway.store.Update(ctx, a.session.ID, func(s *session.Session) {
		for site, wish := range mine {
			asked := !bytes.Equal(wish, known[site])
			if asked && (late || bytes.Equal(s.Wishes[site], known[site])) { // nobody else changed it since
				s.Wishes = with(s.Wishes, site, wish)
			}
		}
		s.Wished++
	})
	if err != nil {
		return err
	}
	for site, wish := range mine {
		if bytes.Equal(is.Wishes[site], wish) {
			a.learnWish(site, wish)
		}
	}
	a.unsaved.Store(false)
	a.recall(is)
	return nil
}

// saveWishes puts in the store what the agent asked for here while it did not answer. That is later than whatever it
// had then, and what others asked for since is for them to put there.
func (f *fleet) saveWishes(ctx context.Context, a *Agent) {
	if !a.unsaved.Load() {
		return
	}
	err := f.shareWishes(ctx, a)
	if errors.Is(err, session.ErrNotFound) {
		a.unsaved.Store(false)
	}
}

// icwsWishes are those of an agent at an ICWS site.
type icwsWishes struct {
	translate.Asked
	Owed []htccapi.MediaChannel // as icwsPart.owed: nil is not none
}

func (p *icwsPart) wishes() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	is := icwsWishes{Owed: p.owed}
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
	p.asked, p.owed = &is.Asked, is.Owed
	p.mu.Unlock()
	p.update(func(s translate.AgentState, _ *translate.Directory) (translate.AgentState, translate.Heard) {
		return s.Recalled(is.Asked), translate.Heard{}
	})
}

// htccWishes are those of an agent at an HTCC site.
type htccWishes struct {
	Asked   []htccapi.MediaChannel
	Unasked []htccapi.MediaChannel `json:",omitempty"`
	Started json.RawMessage
	Left    []htccapi.MediaChannel `json:",omitempty"`
}

func (p *htccPart) wishes() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.started == nil {
		return nil
	}
	return mustEncode(htccWishes{p.asked, p.unasked, p.started, p.left})
}

func (p *htccPart) recall(wishes []byte) {
	var is htccWishes
	err := json.Unmarshal(wishes, &is)
	if err != nil {
		p.warn("what the agent asked for at another replica cannot be read", err)
		return
	}
	p.change(func() { p.asked, p.unasked, p.started, p.left = is.Asked, is.Unasked, is.Started, is.Left })
}
