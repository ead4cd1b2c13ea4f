package gateway

import (
	"portico/proxy/icws"
	"portico/translate"
)

// An icwsLink is the upstream session of a part, and what has become of it. Those who use it hold the part's lock, and
// change with it what translate.AgentState.Link shows.
type icwsLink struct {
	conn   *icws.Conn      // unchanging; of no session while there is none
	gone   bool            // conn is, as the site said
	closed bool            // the agent's session has ended, and conn was the last
	over   ending          // why this part has ended, and conn is gone for good; "" while it has not
	left   *translate.View // what is seen of a part that has ended, where its state was read; nil if that is not known

	lost        bool // in an outage: the state is to be recovered
	unrecovered bool // state is to be recovered on conn, which was opened after an outage: as other replicas know it
	losses      int  // how often it was lost so far

	verified int // during which life of the service conn was last known to live
}

func (l *icwsLink) usable() bool { return l.conn.SessionID != "" && !l.gone }

// lose notes an outage.
func (l *icwsLink) lose() {
	l.lost = true
	l.losses++
}

// adopt puts conn in place of one that is gone; lost says that the agent is to be recovered on it.
func (l *icwsLink) adopt(conn icws.Conn, life int, lost bool) {
	if lost && !l.lost {
		l.losses++
	}
	l.conn, l.gone, l.verified = &conn, false, life
	l.lost, l.unrecovered = lost, lost
}

// revive puts conn in place of the last one of a part that had ended. Of a recovery under way nothing counts.
func (l *icwsLink) revive(conn icws.Conn, life int, recovers bool) {
	l.conn, l.gone, l.verified, l.over, l.left = &conn, false, life, "", nil
	l.lost, l.unrecovered = recovers, recovers
	l.losses++
}

// recovered notes that the agent was recovered from the outage, here or at another replica.
func (l *icwsLink) recovered() { l.lost, l.unrecovered = false, false }

// record is what other replicas are told of it.
func (l *icwsLink) record() icwsRecord {
	return icwsRecord{*l.conn, endNote{l.over}, lossNote{l.unrecovered}, l.left}
}

func (l *icwsLink) head() recordHead {
	return recordHead{l.conn.Opened, endNote{l.over}, lossNote{l.unrecovered}}
}
