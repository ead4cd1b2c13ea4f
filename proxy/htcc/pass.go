package htcc

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"

	"portico/proxy/upstream"
	"portico/translate/htccapi"
)

// What is passed through goes by three pieces of a httputil.ReverseProxy: Rewrite in its Rewrite,
// Transport as its Transport, Observe in its ModifyResponse, whose error its ErrorHandler gets.

// Rewrite sends a request that is passed through to the session's host, under the same path, as a
// request of the session: with its cookies and token in place of the caller's, and without Origin,
// since it was for us to check and the server need not know our address.
func (c *Client) Rewrite(proxied *httputil.ProxyRequest, s *Session) {
	base, err := url.Parse(s.Snapshot().Base)
	if err != nil { // of a Conn that is none: the transport refuses a URL without host
		base = &url.URL{}
	}
	proxied.SetURL(base)
	token := s.authorize(proxied.Out)
	proxied.Out.Header.Del("Origin")
	proxied.Out.Trailer = proxied.In.Trailer // the one that is filled when the body has been read
	proxied.Out = proxied.Out.WithContext(context.WithValue(proxied.Out.Context(), tokenKey{}, token))
}

// tokenKey finds the token that was known when a request was rewritten, in its context.
type tokenKey struct{}

func tokenBefore(res *http.Response) string {
	if res.Request == nil {
		return ""
	}
	token, _ := res.Request.Context().Value(tokenKey{}).(string)
	return token
}

// Transport returns what sends requests that are passed through. It counts them and follows no
// redirects. It fails with fault.Unreachable or fault.Timeout when no answer came, or none in time.
func (c *Client) Transport() http.RoundTripper {
	return c.caller.Through(OpPassthrough, c.settings.PassthroughTimeout)
}

// maxPeek is how far into a refusal is looked for its meaning, in bytes.
const maxPeek = 4 << 10

// Observe takes what an answer that is passed through sets, and removes it from the answer: upstream
// cookies and tokens are the session's, and so is the word on who may read the answer from where. So it does
// with its trailer, of which nothing is the session's.
// It fails with ErrSessionGone, or ErrTokenRefused, when that is what the answer says; the answer
// is then not for the caller. Otherwise the body is untouched.
func (c *Client) Observe(res *http.Response, s *Session) error {
	s.observe(res.Header, tokenBefore(res))
	token := http.CanonicalHeaderKey(s.Snapshot().CSRFHeader)
	hidden := func(name string) bool { return ours(name) || name == token }
	for name := range res.Header {
		if hidden(name) {
			res.Header.Del(name)
		}
	}
	upstream.DropTrailers(res, hidden)
	if res.StatusCode != http.StatusForbidden && res.StatusCode != http.StatusUnauthorized {
		return nil
	}
	refusal := refusalOf(upstream.Reply{Status: res.StatusCode, Body: peek(res)})
	if !refusal.csrf && !refusal.denied() {
		return nil
	}
	return fmt.Errorf("htcc: pass through: %w", c.refused(OpPassthrough, refusal))
}

// ours reports a header of an answer that is not for callers.
func ours(name string) bool {
	switch name {
	case "Set-Cookie", http.CanonicalHeaderKey(htccapi.HeaderCSRFName), http.CanonicalHeaderKey(htccapi.HeaderCSRFToken):
		return true
	}
	return strings.HasPrefix(name, "Access-Control-")
}

// peek returns the beginning of a body, unpacked, and leaves the body as it was.
func peek(res *http.Response) []byte {
	head, err := io.ReadAll(io.LimitReader(res.Body, maxPeek))
	rest := res.Body
	if err != nil { // whoever reads the body will meet it again
		rest = io.NopCloser(failing{err})
	}
	res.Body = joined{io.MultiReader(bytes.NewReader(head), rest), res.Body}
	if !strings.EqualFold(res.Header.Get("Content-Encoding"), "gzip") {
		return head
	}
	unpacker, err := gzip.NewReader(bytes.NewReader(head))
	if err != nil {
		return nil
	}
	text, _ := io.ReadAll(io.LimitReader(unpacker, maxPeek)) // what was cut off is not missed
	return text
}

// A joined is a body of which a part was read.
type joined struct {
	io.Reader
	io.Closer
}

// A failing is the end of a body that broke off.
type failing struct{ err error }

// Read fails as the body did.
func (f failing) Read([]byte) (int, error) { return 0, f.err }
