package icws

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"portico/proxy/fault"
	"portico/proxy/upstream"
	"portico/translate/icwsapi"
)

// The longest answers, in bytes.
const (
	maxReply     = 1 << 20
	maxCatalogue = 4 << 20
)

// A call is one resource of a session and what is done with it.
type call struct {
	operation string
	method    string
	path      string // after /icws/{sessionId}
	body      any    // nil for none
	maxReply  int64  // default maxReply

	repeatable bool // made twice it does the same
	once       bool // made twice it does not bring the same, though it is a read
}

// do makes a call on conn and decodes the answer into into. Where into is nil, a 2xx is success if
// it has no body or one of the ICWS type: some resources answer 200 with the type and no body, and
// a page of HTML comes from something between us and the site.
func (c *Client) do(ctx context.Context, conn Conn, k call, into any) error {
	if k.once {
		ctx = upstream.Once(ctx)
	}
	req, err := request(ctx, k.method, conn.url(k.path), k.body)
	if err != nil {
		return err
	}
	authorize(req, conn)
	reply, err := c.attempt(req, k)
	if err != nil {
		return err
	}
	if reply.Status/100 != 2 {
		refusal := refusalOf(reply)
		c.metrics.APIError(k.operation, refusal.class())
		return fmt.Errorf("%w: %w", refusal.kind(), refusal)
	}
	if into == nil && len(reply.Body) == 0 {
		return nil
	}
	if into == nil {
		into = new(json.RawMessage)
	}
	return c.decode(k.operation, reply, into)
}

// attempt sends the request: once, or once more where that does no harm and nobody answered.
func (c *Client) attempt(req *http.Request, k call) (upstream.Reply, error) {
	limit := k.maxReply
	if limit == 0 {
		limit = maxReply
	}
	if k.repeatable {
		return c.caller.DoRepeatable(req, k.operation, limit)
	}
	return c.caller.Do(req, k.operation, limit)
}

// decode reads a representation; one that is missing, of another type or unreadable is
// fault.BadUpstream.
func (c *Client) decode(operation string, reply upstream.Reply, into any) error {
	err := decode(reply, into)
	if err != nil {
		c.metrics.APIError(operation, classGarbage)
		return fmt.Errorf("%w: HTTP %d: %w", fault.BadUpstream, reply.Status, err)
	}
	return nil
}

var errNoBody = errors.New("no body")

func decode(reply upstream.Reply, into any) error {
	if len(bytes.TrimSpace(reply.Body)) == 0 {
		return errNoBody
	}
	got := mediaType(reply.Get("Content-Type"))
	if !strings.EqualFold(got, mediaTypeICWS) {
		return fmt.Errorf("body of type %q", got)
	}
	accepted, ok := into.(*icwsapi.Accepted)
	if ok && plainAccepted(reply.Body, accepted) {
		return nil
	}
	return json.Unmarshal(reply.Body, into)
}

// mediaTypeICWS is the type of every representation. The type's name is written with JSON in capitals, and
// compares without regard to case.
const (
	mediaTypeICWS   = "application/vnd.inin.icws+json"
	mediaTypeEvents = "text/event-stream"
)

// mediaType returns the media type in a Content-Type as it is written, without parameters.
func mediaType(contentType string) string {
	kind, _, _ := strings.Cut(contentType, ";")
	return strings.TrimSpace(kind)
}

// request returns a request as the vendor's own library sends it.
//
// Source: ICWS, Concepts: Representation format.
func request(ctx context.Context, method, url string, body any) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		// The URL may hold a session id, so the error's own text is not passed on.
		return nil, fmt.Errorf("%w: cannot make a %s request", fault.Internal, method)
	}
	contentType := ""
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("%w: encode body: %w", fault.Internal, err)
		}
		upstream.SetBody(req, encoded)
		contentType = icwsapi.ContentType
	}
	setHeaders(req.Header, "Accept", "application/vnd.inin.icws+JSON", "Content-Type", contentType)
	return req, nil
}

// headerCSRFToken is the token's header as net/http spells it.
var headerCSRFToken = http.CanonicalHeaderKey(icwsapi.HeaderCSRFToken)

// authorize puts what proves the session on a request.
func authorize(req *http.Request, conn Conn) {
	setHeaders(req.Header, headerCSRFToken, conn.CSRFToken, "Accept-Language", conn.Language, "Cookie", conn.Cookie)
}

// setHeaders sets headers by name and value, but for empty ones. Names are spelt as net/http does, and the values of
// all are in one piece of memory: each call has five.
func setHeaders(h http.Header, pairs ...string) {
	values := make([]string, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			values = append(values, pairs[i+1])
			h[pairs[i]] = slices.Clip(values[len(values)-1:])
		}
	}
}
