package push

import "bytes"

// Connects are most of what clients send, and all of theirs are written alike. Those are read here, and answered,
// without the reflection of encoding/json: that was an eighth of what an event cost (`make bench-push`).

// decodePlain reads an array of one message of plain strings, as a connect is. It reports false of all else,
// whether or not that is JSON.
func decodePlain(text []byte) ([]message, bool) {
	in := plain{rest: text}
	var m message
	if !in.take('[') || !in.take('{') {
		return nil, false
	}
	for {
		name, named := in.text()
		value, ok := in.value(named)
		if !ok || !m.set(string(name), value) {
			return nil, false
		}
		if !in.take(',') {
			break
		}
	}
	return []message{m}, in.take('}') && in.take(']') && len(in.rest) == 0
}

// set sets a field, given with its quotation marks, and reports whether it is one that a connect has.
func (m *message) set(name string, value []byte) bool {
	text := string(value[1 : len(value)-1])
	switch name {
	case "channel":
		m.Channel = text
		if text == metaConnect {
			m.Channel = metaConnect
		}
	case "clientId":
		m.ClientID = text
	case "id":
		m.ID = bytes.Clone(value)
	case "connectionType": // decides nothing
	default:
		return false
	}
	return true
}

// A plain is JSON that is read as far as it is plain.
type plain struct{ rest []byte }

// take takes c off, with the space before it.
func (p *plain) take(c byte) bool {
	p.rest = bytes.TrimLeft(p.rest, " \t\r\n")
	if len(p.rest) == 0 || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// text takes off a string that is spelt as it is, without its quotation marks.
func (p *plain) text() ([]byte, bool) {
	if !p.take('"') {
		return nil, false
	}
	for i, c := range p.rest {
		switch {
		case c == '"':
			text := p.rest[:i]
			p.rest = p.rest[i+1:]
			return text, true
		case c < ' ' || c == '\\' || c > '~':
			return nil, false
		}
	}
	return nil, false
}

// value takes off the string after a name, with its quotation marks.
func (p *plain) value(named bool) ([]byte, bool) {
	if !named || !p.take(':') {
		return nil, false
	}
	from := bytes.TrimLeft(p.rest, " \t\r\n")
	text, ok := p.text()
	if !ok {
		return nil, false
	}
	return from[:len(text)+2], true
}

// encodeReply appends r as JSON.
func (s *scratch) encodeReply(r *reply) error {
	if !r.isPlain() {
		return s.encode(r)
	}
	s.WriteString(`{"id":`)
	s.Write(r.ID)
	s.WriteString(`,"channel":"` + metaConnect + `","successful":true}`)
	return nil
}

// isPlain reports whether r says no more than that a connect went well.
func (r *reply) isPlain() bool {
	more := r.Error != "" || r.Version != "" || r.MinimumVersion != "" || r.ClientID != "" ||
		r.SupportedConnectionTypes != nil || r.Subscription != nil || r.Advice != nil || r.Ext != nil
	return r.Successful && r.Channel == metaConnect && bytes.HasPrefix(r.ID, []byte(`"`)) && !more
}
