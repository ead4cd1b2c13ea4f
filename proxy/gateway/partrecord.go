package gateway

import (
	"context"
	"encoding/json"
	"time"

	"portico/proxy/htcc"
	"portico/proxy/icws"
	"portico/proxy/session"
	"portico/proxy/upstream"
	"portico/translate"
)

// A part that has ended while the agent goes on at another site is to have ended at every replica: one that
// logged in there again, with the password that it keeps, would do so against the site's word. Its record in the
// store says so, until the agent has a replica begin the part again. Where another replica has replaced the upstream
// session the record is of the new one, and every replica goes on with that.

// An icwsRecord is what the store has of a part at an ICWS site.
type icwsRecord struct {
	icws.Conn
	endNote
	lossNote

	// Left is what is seen of a part that has ended, for replicas where its state was not read; nil of one that goes on.
	Left *translate.View `json:"left,omitempty"`
}

// An htccRecord is what the store has of a part at an HTCC site.
type htccRecord struct {
	htcc.Conn
	endNote
}

// An endNote is in the record of a part that has ended, of the upstream session that was its last.
type endNote struct {
	Over ending `json:"over,omitempty"` // "" of one that goes on
}

// A lossNote is in the record of a part whose upstream session was opened after an outage. Whoever is the first to do
// something for the agent after that, while no other replica does, takes them out of work: nobody does so again.
type lossNote struct {
	Lost bool `json:"lost,omitempty"` // nobody has yet
}

// A recordHead is what the records of all parts have.
type recordHead struct {
	Opened time.Time `json:"opened"`
	endNote
	lossNote
}

// headOf returns the head of a record. Where there is none, or none that can be read, the part goes on.
func headOf(record []byte) recordHead {
	var is recordHead
	_ = json.Unmarshal(record, &is)
	return is
}

// sameSession reports whether both are of one upstream session, which another host or other cookies do not change.
func (h recordHead) sameSession(other recordHead) bool { return h.Opened.Equal(other.Opened) }

// follows reports whether a record says what became of an upstream session that is gone: there is another, or none is to
// be. That its cookies have changed says nothing, as a load balancer may change one with every answer.
func (h recordHead) follows(gone recordHead) bool { return h.Over != "" || !h.sameSession(gone) }

// ends reports that what goes on here has ended, and begins that what has ended here began again.
func (h recordHead) ends(here recordHead) bool {
	return h.Over != "" && here.Over == "" && h.sameSession(here)
}
func (h recordHead) begins(here recordHead) bool {
	return h.Over == "" && here.Over != "" && !h.sameSession(here)
}

// recovers reports that the agent was recovered elsewhere from an outage from which they are still to be recovered here.
func (h recordHead) recovers(here recordHead) bool {
	return h.Over == "" && here.Over == "" && here.Lost && !h.Lost && h.sameSession(here)
}

// overtaken reports whether the store has a newer word of a part than record: that its upstream session was the last, that
// the agent was recovered on it, or another one which it was not known to have, and which another replica has opened since.
func overtaken(record, stored, known []byte) bool {
	if stored == nil {
		return false
	}
	is, has := headOf(record), headOf(stored)
	if is.sameSession(has) {
		return is.Over == "" && has.Over != "" || has.recovers(is)
	}
	return is.Over != "" || known != nil && !has.sameSession(headOf(known))
}

// awaitReader gives the replica that reads for the agent, if it is another one, the time to say what has become of an
// upstream session that is gone. It has been told why, and the site tells nobody twice.
func (a *Agent) awaitReader(ctx context.Context, site string, gone []byte) {
	for deadline := time.Now().Add(lastWords); !a.readsHere() && time.Now().Before(deadline); {
		s, err := a.gateway.store.ByLogin(ctx, a.Login())
		if err != nil || s.ID != a.session.ID || headOf(s.Upstreams[site]).follows(headOf(gone)) || upstream.Sleep(ctx, turnEvery) != nil {
			return
		}
	}
}

// learnRecords takes what the store has of upstream sessions that have ended for good at another replica, or began again
// there, or were replaced. Where the store has the session of before once more, it is to have the one of now again.
func (a *Agent) learnRecords(s session.Session) {
	records := s.Upstreams
	for _, p := range a.parts {
		site := p.siteName()
		record := records[site]
		switch {
		case record == nil || a.isShared(site, record):
		case p.learnRecord(record) || a.isNewer(site, record) && p.goOn(record):
			a.recallBack(site, s)
			a.shared(map[string][]byte{site: record})
		default:
			a.sharedBefore(site, record)
		}
	}
}

// isNewer reports whether a record of the store is of an upstream session that it was not known to have so far. Whoever
// asked the store before the last one was put there may come with that of before. Of two replicas' clocks neither tells.
func (a *Agent) isNewer(site string, record []byte) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	known := a.session.Upstreams[site]
	return known != nil && !headOf(record).sameSession(headOf(known)) && !a.isBeforeLocked(site, record)
}

// isBeforeLocked reports whether a record is of the upstream session that the store had before the one that it is known
// to have.
func (a *Agent) isBeforeLocked(site string, record []byte) bool {
	before, is := a.before[site]
	return is && headOf(record).sameSession(before)
}

// sharedBefore notes that the store has an upstream session again which it had before: a replica of another release, or
// the store's own recovery, may have put it there.
func (a *Agent) sharedBefore(site string, record []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.isBeforeLocked(site, record) {
		a.session.Upstreams = session.With(a.session.Upstreams, site, record)
	}
}

// hasEndedPart reports whether a part has ended, which another replica may have begun again since.
func (a *Agent) hasEndedPart() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.over) > 0
}

func (p *icwsPart) learnRecord(record []byte) bool {
	p.mu.Lock()
	here := p.link.head()
	p.mu.Unlock()
	is := headOf(record)
	switch {
	case is.ends(here):
		p.endElsewhere(record)
		return true
	case is.begins(here):
		return p.beginAgain(record)
	case is.recovers(here):
		p.mu.Lock()
		p.link.recovered()
		p.mu.Unlock()
		return true
	}
	return false
}

// endElsewhere ends the part as another replica has.
func (p *icwsPart) endElsewhere(record []byte) {
	var is icwsRecord
	_ = json.Unmarshal(record, &is) // whose head was read
	p.endAs(is.Over, is.Left)
}

// beginAgain takes the upstream session that another replica opened after the part had ended. Whatever was to be
// set first was set there, or its record says that it still is.
func (p *icwsPart) beginAgain(record []byte) bool {
	var is icwsRecord
	err := json.Unmarshal(record, &is)
	if err != nil || !p.site.ICWS.MayCall(is.Base) || !p.revive(is.Conn, is.Lost) {
		return false
	}
	p.lists.shareAt(is.Conn)
	return true
}

// goOn takes the upstream session that another replica opened in place of the part's: whatever it does, such as to end
// the agent's work, is to be done on that one. What is read here may still say why the old one ended.
func (p *icwsPart) goOn(record []byte) bool {
	var is icwsRecord
	err := json.Unmarshal(record, &is)
	if err != nil || is.Over != "" || p.ended() || headOf(record).Opened.Equal(p.connection().Opened) || !p.site.ICWS.MayCall(is.Base) || !p.adopt(is.Conn, false, is.Lost) {
		return false
	}
	p.lists.shareAt(is.Conn)
	return true
}

func (p *htccPart) learnRecord(record []byte) bool {
	is, here := headOf(record), headOf(p.record())
	switch {
	case is.ends(here):
		p.end(nil)
		return true
	case is.begins(here):
		return p.beginAgain(record)
	}
	return false
}

func (p *htccPart) beginAgain(record []byte) bool {
	var is htccRecord
	err := json.Unmarshal(record, &is)
	if err != nil || !p.site.HTCC.MayCall(is.Base) || !p.agent.lives() {
		return false
	}
	p.change(func() { p.succeedLocked(htcc.Resume(is.Conn)) })
	return true
}

func (p *htccPart) goOn(record []byte) bool {
	var is htccRecord
	err := json.Unmarshal(record, &is)
	if err != nil || is.Over != "" || !p.site.HTCC.MayCall(is.Base) || !p.agent.lives() {
		return false
	}
	taken := false
	p.change(func() {
		taken = !p.over && p.session != nil && !p.session.Snapshot().Opened.Equal(is.Opened)
		if taken {
			p.succeedLocked(htcc.Resume(is.Conn))
		}
	})
	return taken
}
