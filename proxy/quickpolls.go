package proxy

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"time"

	"portico/proxy/gateway"
	"portico/proxy/plainhttp"
	"portico/proxy/push"
	"portico/proxy/quick"
	"portico/proxy/tracing"
)

// polls are requests of CometD on connections on which a connect was held before. They are answered before
// net/http sees them, as those of quickCall: the next connect is most of what an event costs else.
type polls struct {
	numbers *endpoint
	head    []byte            // of their answers: the headers that are always the same
	heads   map[string][]byte // the same by the origin of the page, of those that are trusted
}

func (d *door) newPolls(numbers *endpoint) polls {
	p := polls{numbers, d.headLines(http.MethodPost, ""), map[string][]byte{}}
	for _, origin := range trustedOrigins(d.settings.PublicURL, d.settings.Origins) {
		p.heads[origin] = d.headLines(http.MethodPost, origin)
	}
	return p
}

// A poll is one of those requests until it is answered: what of it is asked for then.
type poll struct {
	door     *door
	agent    *gateway.Agent
	id       string // of the request
	head     []byte
	cookie   string // that the answer sets, "" for none
	clientIP string
	began    time.Time
	trace    context.Context
	span     tracing.Span
}

// Poll is what push.Options call Next.
func (d *Door) Poll(line *push.Line, came []byte) bool {
	s := &d.door.settings
	if s.Push == nil || s.NoQuickRequests || s.CSRFToken || s.Draining() {
		return false
	}
	in := quickRequests.Get().(*quick.Request)
	defer quickRequests.Put(in)
	if !in.Parse(came, line) || in.Method != http.MethodPost || !isPoll(in.Path) || in.Traced || in.URLLength() > s.MaxURL || in.Headers > s.MaxHeaders ||
		int64(len(in.Body())) > s.MaxBody {
		return false
	}
	batch, ok := line.Read(string(in.ContentType), in.Body())
	return ok && d.door.poll(in, batch)
}

// isPoll reports whether a path is one of those that routeNotifications routes.
func isPoll(path []byte) bool {
	rest, ok := bytes.CutPrefix(path, []byte(pathNotifications))
	return ok && (len(rest) == 0 || rest[0] == '/' && len(rest) > 1 && bytes.IndexByte(rest[1:], '/') < 0)
}

// poll gives a request the course that handle, loggedIn and notifications give it.
func (d *door) poll(in *quick.Request, batch push.Batch) bool {
	began := time.Now()
	c := quickCall{door: d, in: in}
	head, ok := d.headFor(in)
	if !ok || !c.login() || !c.mayEnter() {
		return false
	}
	c.agent.Use(c.caller)
	p := &poll{door: d, agent: c.agent, id: requestID(in.RequestID), head: head, began: began}
	owner := c.agent.SessionID()
	if c.caller.SessionID != owner {
		p.cookie = d.cookie(owner).String()
	}
	if d.settings.LogClientIP {
		p.clientIP = d.addressOf(in.Remote(), string(in.ForwardedFor)).String()
	}
	p.trace, p.span = d.settings.Tracer.Quick(began)
	d.metrics.pushInFlight.Inc()
	batch.Serve(owner, strings.Clone(push.BrowserIn(string(in.Cookie))), p)
	return true
}

// headFor returns the head of an answer; false if the request may come from a page of another site, which
// checkOrigin decides on.
func (d *door) headFor(in *quick.Request) ([]byte, bool) {
	head, trusted := d.polls.heads[string(in.Origin)]
	switch {
	case trusted:
		return head, true
	case len(in.Origin) == 0 && len(in.FetchSite) == 0:
		return d.polls.head, true
	}
	err := d.origins.Check(&http.Request{Method: http.MethodPost, Host: string(in.Host), Header: http.Header{
		"Origin": {string(in.Origin)}, "Sec-Fetch-Site": {string(in.FetchSite)}}})
	return d.polls.head, err == nil && (d.cors == nil || len(in.Origin) == 0)
}

// Head implements push.Caller.
func (p *poll) Head(out []byte) []byte {
	out = plainhttp.AppendField(append(out, p.head...), "X-Request-Id", p.id)
	if p.cookie != "" {
		out = plainhttp.AppendField(out, "Set-Cookie", p.cookie)
	}
	return out
}

// Over implements push.Caller.
func (p *poll) Over(end push.Ending) {
	p.door.pushed(record{requestID: p.id, numbers: p.door.polls.numbers, began: p.began, agent: p.agent, clientIP: p.clientIP, trace: p.trace, span: p.span}, end)
}
