package native

import (
	"bytes"
	"hash/maphash"
	"io"
	"net/http"
	"strings"
	"time"
)

// A site tells an application of a change of the catalogue beside Portico, on another stream: it may hear of it first,
// and read the catalogue at once. What the cache has then may be the one before. So messages are looked through, as
// they pass, for the word that tells of such a change; they stay as they are.

// aheadFor is how long a session is taken to know more than the cache, which has not changed since: the stream that
// tells the cache is found to be dead within.
const aheadFor = 3 * time.Minute

// Words of a message that tells of a change, without the blanks that may stand between them. The first, whole list after
// a subscription tells nothing new of the site; another one may.
//
// Source: ICWS reference, statusMessagesMessage; ICWS, Getting started: Messaging (isDelta).
var (
	wordCatalogue = []byte("statusMessagesMessage")
	wordDelta     = []byte(`"isDelta":true`)
)

// seam is how much of what came before is looked at again: a word may begin in it.
const seam = 32

// telling is the body of an answer with messages. One goroutine uses it.
type telling struct {
	io.ReadCloser
	session *proof
	changed func() // the application is about to be told of a change

	tail         []byte // the end of what came, for words that go on
	about, delta bool   // which of the words have come, in this event
	told         bool   // of this event
	line         bool   // something has come in this line
}

// listen has changed be called before an answer tells a session's application of a change. One that is compressed may.
func listen(res *http.Response, session *proof, changed func()) {
	if res.StatusCode/100 != 2 {
		return
	}
	if encoding := res.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		changed()
		return
	}
	res.Body = &telling{ReadCloser: res.Body, session: session, changed: changed}
}

// Read implements io.Reader.
func (t *telling) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	t.look(p[:n])
	if err != nil {
		t.end()
	}
	return n, err
}

// end ends an event.
func (t *telling) end() {
	if t.about {
		t.session.listCame()
	}
	t.about, t.delta, t.told = false, false, false
}

// look looks through what comes, line by line: an empty one ends an event.
func (t *telling) look(text []byte) {
	for len(text) > 0 {
		line, rest, ended := bytes.Cut(text, []byte("\n"))
		t.lookAt(line)
		if ended {
			if !t.line {
				t.end()
			}
			t.line, t.tail = false, t.tail[:0]
		}
		text = rest
	}
}

// lookAt looks for the words in a part of a line.
func (t *telling) lookAt(part []byte) {
	t.line = t.line || len(bytes.TrimSuffix(part, []byte("\r"))) > 0
	if bytes.ContainsAny(part, " \t") {
		part = bytes.ReplaceAll(bytes.ReplaceAll(part, []byte(" "), nil), []byte("\t"), nil)
	}
	t.tail = append(t.tail, part[:min(seam, len(part))]...)
	t.find(t.tail)
	t.find(part)
	if len(part) > seam {
		t.tail = append(t.tail[:0], part[len(part)-seam:]...)
	}
	t.tail = append(t.tail[:0], t.tail[max(0, len(t.tail)-seam):]...)
	if t.about && !t.told && (t.delta || !t.session.awaitsList()) {
		t.told = true
		t.changed()
	}
}

func (t *telling) find(text []byte) {
	t.about = t.about || bytes.Contains(text, wordCatalogue)
	t.delta = t.delta || bytes.Contains(text, wordDelta)
}

// ahead is a session's knowledge of changes that the cache may lack. Proof.mu guards it.
type ahead struct {
	lists int       // whole ones that are still to come after subscriptions
	since time.Time // when its application was told last; zero: the cache has it all
	held  uint64    // hash of what the cache had then
}

var hashes = maphash.MakeSeed()

// tellOf notes that the session's application is told of a change while the cache has body.
func (p *proof) tellOf(body []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ahead.since, p.ahead.held = time.Now(), maphash.Bytes(hashes, body)
}

// subscribes notes that the application subscribes to the catalogue, which brings it whole.
func (p *proof) subscribes() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ahead.lists++
}

// awaitsList reports whether a whole list is still to come after a subscription.
func (p *proof) awaitsList() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ahead.lists > 0
}

// listCame notes that one has come, or that none comes.
func (p *proof) listCame() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ahead.lists = max(p.ahead.lists-1, 0)
}

// knowsMore reports whether the session's application may know of a change that came after body.
func (p *proof) knowsMore(body []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ahead.since.IsZero() {
		return false
	}
	if time.Since(p.ahead.since) < aheadFor && p.ahead.held == maphash.Bytes(hashes, body) {
		return true
	}
	p.ahead.since = time.Time{}
	return false
}
