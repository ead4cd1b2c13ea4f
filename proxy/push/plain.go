package push

import (
	"bytes"
	"slices"

	"portico/proxy/plainjson"
)

// Connects are most of what clients send, and all of theirs are written alike. Those are read here, and answered,
// without the reflection of encoding/json: that was an eighth of what an event cost (`make bench-push`).

// decodePlain reads an array of one message of plain strings, as a connect is. It reports false of all else,
// whether or not that is JSON.
func decodePlain(text []byte) ([]message, bool) {
	in := plainjson.Read(text)
	var m message
	messages := 0
	in.List(func() {
		messages++
		in.Object(func(name []byte) { m.read(name, &in) })
	})
	if messages != 1 || !in.End() {
		return nil, false
	}
	return []message{m}, true
}

// read reads the value of a field, if it is one that a connect has.
func (m *message) read(name []byte, in *plainjson.Reader) {
	switch string(name) {
	case "channel":
		m.Channel = channelOf(in.Raw())
	case "clientId":
		m.ClientID = in.Text()
	case "id":
		m.ID = slices.Concat(quote, in.Raw(), quote)
	case "connectionType":
		in.Raw() // decides nothing
	default:
		in.Leave()
	}
}

var quote = []byte(`"`)

// channelOf returns the name of a channel, which mostly is that of connects.
func channelOf(name []byte) string {
	if string(name) == metaConnect {
		return metaConnect
	}
	return string(name)
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
