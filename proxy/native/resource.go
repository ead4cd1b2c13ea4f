package native

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/text/language"

	"portico/cache"
)

// A held is something of the ICWS API that the cache may have.
type held string

// What the cache may have.
const (
	heldNothing   held = ""
	heldVersion   held = "version"
	heldFeatures  held = "features"
	heldCatalogue held = "status-messages"
)

// isRelease reports whether only the release that the site runs decides the answer.
func (h held) isRelease() bool { return h == heldVersion || h == heldFeatures }

// cache returns which cache has it.
func (h held) cache() string {
	if h == heldCatalogue {
		return cache.Catalogue
	}
	return cache.Version
}

// A resource is what a native application's request is about.
type resource struct {
	session string // "" if it is of none
	path    string // after /icws/ or /icws/{sessionId}/, in lower case: what servers make of capitals is not known
	held    held
}

// takesMessages reports a poll, or the opening of a stream: either takes what it brings off the session's queue.
//
// Source: ICWS reference, /icws/{sessionId}/messaging/messages.
func (r resource) takesMessages() bool { return r.session != "" && r.path == "messaging/messages" }

// resourceOf reads the path as the site will: segment by segment, unescaped.
func resourceOf(req *http.Request) resource {
	segments := strings.FieldsFunc(req.URL.EscapedPath(), func(r rune) bool { return r == '/' })
	for i, segment := range segments {
		name, err := url.PathUnescape(segment)
		if err == nil {
			segments[i] = name
		}
	}
	if len(segments) < 2 {
		return resource{}
	}
	asked := resource{session: segments[1], path: strings.Join(segments[2:], "/")}
	if strings.EqualFold(segments[1], "connection") {
		asked = resource{path: strings.Join(segments[1:], "/")}
	}
	if plainRead(req) {
		asked.held = heldAt(asked)
	}
	asked.path = strings.ToLower(asked.path)
	return asked
}

func heldAt(asked resource) held {
	switch {
	case asked.path == "connection/version":
		return heldVersion
	case asked.path == "connection/features":
		return heldFeatures
	case asked.path == "status/status-messages" && asked.session != "":
		return heldCatalogue
	}
	return heldNothing
}

// plainRead reports a request whose answer depends on nothing but its path and session. One with an
// Origin wants an answer made for it.
func plainRead(req *http.Request) bool {
	return req.Method == http.MethodGet && req.URL.RawQuery == "" && req.Header.Get("Origin") == "" &&
		(req.Body == nil || req.Body == http.NoBody)
}

// spelledIn returns a language as the site spells it; false if it is none of the site's.
func spelledIn(list []string, wanted string) (string, bool) {
	for _, id := range list {
		if strings.EqualFold(id, wanted) {
			return id, true
		}
	}
	return "", false
}

// firstChoice returns the language that an Accept-Language value likes best, if it is one of the
// site's, letter by letter: how the site chooses where it has none of that name is its own affair.
func firstChoice(list []string, accept string) (string, bool) {
	wanted, weights, err := language.ParseAcceptLanguage(accept)
	if err != nil || len(wanted) == 0 || len(weights) > 1 && weights[0] == weights[1] {
		return "", false
	}
	first := wanted[0].String()
	for item := range strings.SplitSeq(accept, ",") {
		said, _, _ := strings.Cut(item, ";")
		read, _, _ := language.ParseAcceptLanguage(item) // of "deu" it makes "de", of "iw" "he"
		if len(read) > 0 && read[0].String() == first && !strings.EqualFold(strings.TrimSpace(said), first) {
			return "", false
		}
	}
	return spelledIn(list, first)
}

// ownAnswer makes an answer of our own.
func ownAnswer(req *http.Request, status int, body []byte, header http.Header) *http.Response {
	header.Set("Content-Length", strconv.Itoa(len(body)))
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header, Request: req,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}
}
