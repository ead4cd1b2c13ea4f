package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"portico/proxy/htcc"
	"portico/proxy/icws"
)

// A part that has ended while the agent goes on at another site is to have ended at every replica: one that
// logged in there again, with the password that it keeps, would do so against the site's word. Its record in the
// store says so, until the agent has a replica begin the part again.

// An icwsRecord is what the store has of a part at an ICWS site.
type icwsRecord struct {
	icws.Conn
	endNote
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

// A recordHead is what the records of all parts have.
type recordHead struct {
	Opened time.Time `json:"opened"`
	endNote
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

// overtaken reports whether the store has a newer word of a part than record: that its upstream session was the last, or
// another one which it was not known to have, and which another replica has opened since.
func overtaken(record, stored, known []byte) bool {
	if stored == nil {
		return false
	}
	is, has := headOf(record), headOf(stored)
	if is.sameSession(has) {
		return is.Over == "" && has.Over != ""
	}
	return is.Over != "" || known != nil && !has.sameSession(headOf(known))
}

// awaitReader gives the replica that reads for the agent, if it is another one, the time to say what has become of an
// upstream session that is gone. It has been told why, and the site tells nobody twice.
func (a *Agent) awaitReader(ctx context.Context, site string, gone []byte) {
	for deadline := time.Now().Add(lastWords); !a.readsHere() && time.Now().Before(deadline); {
		s, err := a.gateway.store.ByLogin(ctx, a.Login())
		if err != nil || s.ID != a.session.ID || !bytes.Equal(s.Upstreams[site], gone) || sleep(ctx, turnEvery) != nil {
			return
		}
	}
}

// learnRecords takes what the store has of upstream sessions that have ended for good, or began again, at another replica.
func (a *Agent) learnRecords(records map[string][]byte) {
	for _, p := range a.parts {
		site := p.siteName()
		record := records[site]
		if record != nil && !a.isShared(site, record) && p.learnRecord(record) {
			a.shared(map[string][]byte{site: record})
		}
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
	here := recordHead{p.conn.Opened, endNote{p.over}}
	p.mu.Unlock()
	is := headOf(record)
	switch {
	case is.ends(here):
		p.end(is.Over)
		return true
	case is.begins(here):
		return p.beginAgain(record)
	}
	return false
}

// beginAgain takes the upstream session that another replica opened after the part had ended. Whatever was to be
// set first was set there.
func (p *icwsPart) beginAgain(record []byte) bool {
	var is icwsRecord
	err := json.Unmarshal(record, &is)
	if err != nil || !p.site.ICWS.MayCall(is.Base) || !p.revive(is.Conn, false) {
		return false
	}
	p.shareAt(is.Conn)
	return true
}

func (p *htccPart) learnRecord(record []byte) bool {
	is, here := headOf(record), headOf(p.record())
	switch {
	case is.ends(here):
		p.ended(nil)
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
	p.change(func() {
		p.session, p.refused = htcc.Resume(is.Conn), nil
		p.over, p.finished, p.synced = false, false, false
		p.agent.partBack(p)
		p.moments.outdate()
	})
	return true
}
