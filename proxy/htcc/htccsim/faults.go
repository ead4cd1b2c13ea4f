package htccsim

import (
	"cmp"
	"fmt"
	"net/http"

	"portico/proxy/simulation"
)

// Fault is something to go wrong: an answer other than the right one for some calls, or one of the
// scenarios that Scenarios lists.
type Fault = simulation.Fault

// repertoire is what can be told to go wrong. Its routes are those of resources.
var repertoire = simulation.Repertoire{Scenarios: Scenarios(), Answering: answerScenarios}

// performWith answers the call the way the fault wants it.
func (s *Server) performWith(w http.ResponseWriter, c *call, f *Fault) {
	turn := simulation.Turn{
		Fault: f, Request: c.request, Life: s.life,
		CarryOut: func() func() {
			right := s.carryOut(c)
			return func() { s.send(w, c, right) }
		},
		Replace: func() (int, func()) {
			answer := c.answerOf(f)
			return answer.status, func() { answer.write(w) }
		},
		Note: func(status int, outcome string) { s.recordFault(c, status, outcome) },
	}
	if f.Scenario != hangBody {
		turn.Delay()
	}
	switch {
	case c.alters(f.Scenario):
		s.perform(w, c)
	case f.Scenario == hangBody || f.Scenario == truncateBody:
		s.breakOff(w, c, f)
	default:
		turn.Answer()
	}
}

// breakOff carries the call out and answers with half of its body, then silence for hangBody, and
// the end of the connection.
func (s *Server) breakOff(w http.ResponseWriter, c *call, f *Fault) {
	whole := &captured{header: w.Header()}
	s.perform(whole, c)
	whole.header.Set("Content-Length", fmt.Sprint(whole.body.Len()))
	w.WriteHeader(cmp.Or(whole.status, http.StatusOK))
	_, _ = w.Write(whole.body.Bytes()[:whole.body.Len()/2]) // fails only if the caller is gone
	_ = http.NewResponseController(w).Flush()
	if f.Scenario == hangBody {
		s.life.Hold(c.request, f.Delay)
	}
	panic(http.ErrAbortHandler)
}

// answerOf is what the fault says instead of the server.
func (c *call) answerOf(f *Fault) reply {
	switch {
	case f.Scenario == redirect:
		return reply{status: cmp.Or(f.Status, http.StatusFound), header: http.Header{
			"Location": {cmp.Or(f.Location, "http://foreign.example"+c.request.URL.RequestURI())}}}
	case f.Scenario == garbage:
		return reply{
			status: cmp.Or(f.Status, http.StatusOK), contentType: cmp.Or(f.ContentType, "text/html;charset=UTF-8"),
			body: []byte(cmp.Or(f.Body, "<html><body><h1>It works!</h1></body></html>")),
		}
	case f.Body != "" || f.Status < 400:
		return reply{status: cmp.Or(f.Status, http.StatusOK), contentType: f.ContentType, body: []byte(f.Body)}
	case f.Status == http.StatusForbidden:
		return c.denied()
	}
	refused := c.refuse(codeOf(f.Status), "An internal error occurred")
	refused.status = f.Status
	return refused
}

// codeOf is the statusCode that goes best with an HTTP status.
func codeOf(status int) int {
	switch status {
	case http.StatusBadRequest:
		return codeInvalid
	case http.StatusNotFound:
		return codeNotFound
	}
	return codeInternal
}
