package gateway

// A moment is when a read of an agent's state begins: after how many messages, as which of the reads, after how many
// operations at other replicas, and after how many wishes of theirs were taken.
type moment struct{ told, read, elsewhere, recalled int }

// moments tell what is newer: what a part knows of the agent's state, or the answer to a read. Those who use it hold
// the part's lock. The zero value is ready.
type moments struct {
	told      int // messages about state that were received so far
	reads     int // that began so far, or what makes them old
	newest    int // of the reads whose answers count
	elsewhere int // operations at other replicas that were heard of so far
	recalled  int // times that what was asked for there was taken
}

// begin returns the present moment, for a read that begins.
func (m *moments) begin() moment {
	m.reads++
	return moment{m.told, m.reads, m.elsewhere, m.recalled}
}

// misses reports whether another replica has changed something since a moment, or may have.
func (m *moments) misses(began moment) bool { return m.elsewhere != began.elsewhere }

// knows reports whether a read since a moment shows all that other replicas are known to have asked for.
func (m *moments) knows(began moment) bool { return m.recalled == began.recalled }

// isOld reports whether what was read from a moment on may be older than what is known: messages have come since,
// which are as new or newer, or the answer to a later read, or something was set.
func (m *moments) isOld(began moment) bool { return m.told != began.told || m.isPassed(began) }

// isPassed is isOld, but for messages.
func (m *moments) isPassed(began moment) bool { return m.newest > began.read }

// took notes that what was read from a moment on is known now.
func (m *moments) took(began moment) { m.newest = began.read }

// outdate makes all reads old that began so far.
func (m *moments) outdate() { m.took(m.begin()) }
