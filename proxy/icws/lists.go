package icws

import (
	"bytes"
	"slices"
	"sync"

	"portico/translate/icwsapi"
)

// lists remembers the last lists of status messages that came whole, as text and decoded. Each agent who logs in
// is told the list, which is mostly the one that the agent before was told. Any number of goroutines may use it.
type lists struct {
	mu   sync.Mutex
	last []list // newest first, guarded by mu
}

type list struct {
	text    []byte
	message []icwsapi.Message // alone; never changed
}

const (
	longList  = 1 << 10 // bytes: what is shorter costs too little to be looked for
	listsKept = 4       // a site has few languages
)

// decode is decodeMessages.
func (l *lists) decode(body []byte) ([]icwsapi.Message, []error) {
	if len(body) < longList {
		return decodeMessages(body)
	}
	known := l.find(body)
	if known != nil {
		return known, nil
	}
	messages, failures := decodeMessages(body)
	if len(failures) == 0 && len(messages) == 1 && isWholeList(messages[0]) {
		l.keep(list{bytes.Clone(body), messages})
	}
	return messages, failures
}

func isWholeList(message icwsapi.Message) bool {
	m, ok := message.(icwsapi.StatusMessagesMessage)
	return ok && !m.IsDelta
}

func (l *lists) find(text []byte) []icwsapi.Message {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, known := range l.last {
		if bytes.Equal(known.text, text) {
			return known.message
		}
	}
	return nil
}

func (l *lists) keep(one list) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = slices.Insert(l.last, 0, one)
	l.last = slices.Delete(l.last, min(len(l.last), listsKept), len(l.last))
}
