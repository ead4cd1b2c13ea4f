package icws

import (
	"unicode/utf8"

	"portico/translate/icwsapi"
)

// A plain reads JSON of the kind that sites send all day: objects and lists of texts without escapes, booleans
// and null, with nothing that is not known. Anything else is not plain, and left to encoding/json, which reads a
// change of status in ten times the time (BenchmarkDecodeMessage). One goroutine uses it.
type plain struct {
	rest []byte
	not  bool // it is not plain: what was read of it is worth nothing
}

// plainMessage reads the two messages that each change of status leads to; false if it is another, or none that
// is plain.
func plainMessage(b []byte) (icwsapi.Message, bool) {
	p := plain{rest: b}
	var head icwsapi.Head
	var statuses []icwsapi.UserStatus
	var requestID string
	var told, completed bool
	p.object(func(name []byte) {
		switch string(name) {
		case "__type":
			head.Type = p.plainType()
		case "isDelta":
			head.IsDelta = p.bool()
		case "userStatusList":
			p.not, told = p.not || told, true
			statuses = []icwsapi.UserStatus{}
			p.list(func() { statuses = append(statuses, p.userStatus()) })
		case "requestId":
			requestID, completed = p.text(), true
		case "error":
			p.null() // of what failed there is more to read
			completed = true
		default:
			p.not = true
		}
	})
	p.space()
	switch {
	case p.not || len(p.rest) > 0:
		return nil, false
	case head.Type == icwsapi.TypeUserStatus && told && !completed:
		return icwsapi.UserStatusMessage{Head: head, UserStatusList: statuses}, true
	case head.Type == icwsapi.TypeAsyncOperationCompleted && completed && !told:
		return icwsapi.AsyncOperationCompletedMessage{Head: head, RequestID: requestID}, true
	}
	return nil, false
}

// plainAccepted reads the answer to a change of status.
func plainAccepted(b []byte, into *icwsapi.Accepted) bool {
	p := plain{rest: b}
	var accepted icwsapi.Accepted
	p.object(func(name []byte) {
		if string(name) != "requestId" {
			p.not = true
			return
		}
		accepted.RequestID = p.text()
	})
	p.space()
	if p.not || len(p.rest) > 0 {
		return false
	}
	*into = accepted
	return true
}

// plainType reads the type of one of the two messages.
func (p *plain) plainType() string {
	text := p.quoted()
	for _, known := range []string{icwsapi.TypeUserStatus, icwsapi.TypeAsyncOperationCompleted} {
		if string(text) == known {
			return known
		}
	}
	p.not = true
	return ""
}

func (p *plain) userStatus() icwsapi.UserStatus {
	var s icwsapi.UserStatus
	p.object(func(name []byte) {
		switch string(name) {
		case "userId":
			s.UserID = p.text()
		case "statusId":
			s.StatusID = p.text()
		case "notes":
			s.Notes = new(p.text())
		case "forwardNumber":
			s.ForwardNumber = new(p.text())
		case "until":
			p.null()
			s.Until = icwsapi.OptUntil{Present: true}
		case "statusChanged":
			s.StatusChanged = p.time()
		case "onPhone":
			s.OnPhone = new(p.bool())
		case "onPhoneChanged":
			s.OnPhoneChanged = p.time()
		case "loggedIn":
			s.LoggedIn = new(p.bool())
		case "stations":
			s.Stations = p.texts()
		case "icServers":
			s.ICServers = p.texts()
		default:
			p.not = true
		}
	})
	return s
}

// object reads an object; member reads the value of each name.
func (p *plain) object(member func(name []byte)) {
	p.series('{', '}', func() {
		name := p.quoted()
		if !p.next(':') {
			p.not = true
			return
		}
		member(name)
	})
}

// list reads a list; element reads each element.
func (p *plain) list(element func()) { p.series('[', ']', element) }

func (p *plain) series(begin, end byte, one func()) {
	if !p.next(begin) {
		p.not = true
		return
	}
	if p.next(end) {
		return
	}
	for !p.not {
		one()
		if p.next(end) {
			return
		}
		if !p.next(',') {
			p.not = true
		}
	}
}

func (p *plain) texts() *[]string {
	all := []string{}
	p.list(func() { all = append(all, p.text()) })
	return &all
}

func (p *plain) text() string { return string(p.quoted()) }

// quoted reads a text and returns it without its quotes.
func (p *plain) quoted() []byte {
	if !p.next('"') {
		p.not = true
		return nil
	}
	for i, c := range p.rest {
		switch {
		case c == '"':
			text := p.rest[:i]
			p.rest = p.rest[i+1:]
			p.not = p.not || !utf8.Valid(text)
			return text
		case c == '\\' || c < ' ':
			p.not = true
			return nil
		}
	}
	p.not = true
	return nil
}

func (p *plain) time() *icwsapi.Time {
	var t icwsapi.Time
	text := p.quoted()
	if !p.not {
		p.not = t.UnmarshalJSON(text) != nil
	}
	return &t
}

func (p *plain) bool() bool {
	yes := p.word("true")
	if !yes && !p.word("false") {
		p.not = true
	}
	return yes
}

func (p *plain) null() {
	if !p.word("null") {
		p.not = true
	}
}

// word takes a word if it is next.
func (p *plain) word(word string) bool {
	p.space()
	if len(p.rest) < len(word) || string(p.rest[:len(word)]) != word {
		return false
	}
	p.rest = p.rest[len(word):]
	return true
}

// next takes a byte if it is next.
func (p *plain) next(c byte) bool {
	p.space()
	if len(p.rest) == 0 || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *plain) space() {
	for len(p.rest) > 0 && (p.rest[0] == ' ' || p.rest[0] == '\t' || p.rest[0] == '\n' || p.rest[0] == '\r') {
		p.rest = p.rest[1:]
	}
}
