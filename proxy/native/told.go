package native

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"

	"portico/translate/icwsapi"
)

// Messages are looked through, as they pass, for the word that tells of the catalogue; answers with the catalogue are
// read along. Both stay as they are.

// wordCatalogue stands in a message about the catalogue, and in no other.
//
// Source: ICWS reference, statusMessagesMessage.
var wordCatalogue = []byte("statusMessagesMessage")

// longestCatalogue is how long a catalogue may be that is read along, in bytes. Of a longer one it is not known what it
// says.
const longestCatalogue = 1 << 20

// telling is the body of an answer with messages. One goroutine uses it.
type telling struct {
	io.ReadCloser
	session *proof
	opaque  bool // it is compressed: whatever it says may tell of the catalogue

	tail     []byte // the end of what came of this line, where the word may begin
	words    int    // of this line
	list     []byte // what came of this line after the first of them, as far as longestCatalogue
	tellings int    // to the application, with that word
}

// listen has a session know of what an answer tells its application, before the application does.
func listen(res *http.Response, session *proof) {
	if res.StatusCode/100 == 2 {
		res.Body = &telling{ReadCloser: res.Body, session: session, opaque: !isPlain(res.Header)}
	}
}

// isPlain reports a body that can be read as it is.
func isPlain(h http.Header) bool {
	encoding := h.Get("Content-Encoding")
	return encoding == "" || strings.EqualFold(encoding, "identity")
}

// Read implements io.Reader.
func (t *telling) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	if t.opaque {
		if n > 0 {
			t.session.tell()
		}
		return n, err
	}
	t.look(p[:n])
	if err != nil {
		t.endLine()
	}
	return n, err
}

// look looks through what comes, line by line: a message has one.
func (t *telling) look(text []byte) {
	for len(text) > 0 {
		line, rest, ended := bytes.Cut(text, []byte("\n"))
		t.lookAt(line)
		if ended {
			t.endLine()
		}
		text = rest
	}
}

// lookAt looks for the word in a part of a line.
func (t *telling) lookAt(part []byte) {
	if t.words > 0 {
		t.listen(part)
	}
	text := part
	if len(t.tail) > 0 {
		text = slices.Concat(t.tail, part)
	}
	for {
		_, rest, found := bytes.Cut(text, wordCatalogue)
		if !found {
			break
		}
		if t.words == 0 {
			t.listen(rest)
		}
		t.words++
		t.tellings = t.session.tell()
		text = rest
	}
	t.tail = append(t.tail[:0], text[max(0, len(text)-len(wordCatalogue)+1):]...)
}

// listen keeps what follows the word, and one byte more than can be read.
func (t *telling) listen(part []byte) {
	t.list = append(t.list, part[:min(len(part), longestCatalogue+1-len(t.list))]...)
}

// endLine takes a whole list: what the site says by it is all that there is of the catalogue.
func (t *telling) endLine() {
	if t.words == 1 && len(t.list) <= longestCatalogue {
		const before = `{"__type":"`
		var message struct {
			icwsapi.StatusMessagesMessage
			IsDelta *bool `json:"isDelta"` // nil: it stood before the word, as a list may have
		}
		// A poll goes on after the message, which a decoder leaves alone.
		err := json.NewDecoder(io.MultiReader(strings.NewReader(before), bytes.NewReader(t.list))).Decode(&message)
		if err == nil && message.IsDelta != nil && !*message.IsDelta {
			t.session.hears(slices.Concat(message.StatusMessagesAdded, message.StatusMessagesChanged), t.tellings)
		}
	}
	t.words, t.list, t.tail = 0, nil, t.tail[:0]
}

// saying is the body of an answer with the catalogue. One goroutine uses it.
type saying struct {
	io.ReadCloser
	session  *proof
	tellings int // before it was asked for
	body     []byte
}

// readAlong has a session know which catalogue an answer says, that was asked for after so many tellings.
func readAlong(res *http.Response, session *proof, tellings int) {
	if res.StatusCode == http.StatusOK && isPlain(res.Header) {
		res.Body = &saying{ReadCloser: res.Body, session: session, tellings: tellings}
	}
}

// Read implements io.Reader.
func (s *saying) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	s.body = append(s.body, p[:min(n, longestCatalogue+1-len(s.body))]...)
	if err == io.EOF && len(s.body) <= longestCatalogue {
		var all icwsapi.StatusMessages
		if json.Unmarshal(s.body, &all) == nil {
			s.session.hears(all.StatusMessageList, s.tellings)
		}
	}
	return n, err
}
