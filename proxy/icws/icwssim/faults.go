package icwssim

import (
	"cmp"
	"net/http"

	"portico/proxy/simulation"
	"portico/translate/icwsapi"
)

// Fault is something to go wrong: an answer other than the right one for some calls, or one of the
// scenarios that Scenarios lists.
type Fault = simulation.Fault

// repertoire is what can be told to go wrong. Its routes are those of resources, which compare
// without regard to case.
var repertoire = simulation.Repertoire{
	Scenarios: Scenarios(), Answering: []string{garbage, hang, resetConnection}, IgnoreCase: true,
}

// performWith answers the call the way the fault wants it.
func (s *Server) performWith(w http.ResponseWriter, c *call, f *Fault) {
	turn := simulation.Turn{
		Fault: f, Request: c.request, Life: s.life,
		CarryOut: func() func() {
			right := s.answer(c)
			return func() { s.send(w, c, right) }
		},
		Replace: func() (int, func()) {
			answer := answerOf(f).in(c.language)
			return answer.status, func() { answer.write(w) }
		},
		Note: func(status int, outcome string) { s.recordFault(c, status, outcome) },

		// A poll empties the queue: if its connection breaks, the messages are lost.
		Drains: c.resource != nil && c.resource.noCSRF,
	}
	turn.Delay()
	turn.Answer()
}

// answerOf is what the fault says instead of the server.
func answerOf(f *Fault) reply {
	switch {
	case f.Scenario == garbage:
		r := empty(cmp.Or(f.Status, http.StatusOK))
		r.contentType = cmp.Or(f.ContentType, "text/html; charset=utf-8")
		r.body = []byte(cmp.Or(f.Body, "<html><body><h1>It works!</h1></body></html>"))
		return r
	case f.Body != "":
		r := empty(cmp.Or(f.Status, http.StatusOK))
		r.contentType, r.body = f.ContentType, []byte(f.Body)
		return r
	case f.Status < 400:
		r := empty(f.Status)
		r.contentType = f.ContentType
		return r
	case f.Status == http.StatusServiceUnavailable:
		return unavailable(f.Hosts)
	case f.Status == http.StatusUnauthorized:
		return refuse(f.Status, icwsapi.Error{
			ErrorID: icwsapi.ErrorAuthenticationFailure, ErrorCode: -2147221499, Message: "The session identifier is not valid.",
		})
	case f.Status == http.StatusBadRequest:
		return badRequest("The request could not be carried out.")
	case f.Status == http.StatusForbidden:
		return forbidden("The user may not do this.")
	case f.Status == http.StatusNotFound:
		return notFound()
	}
	return refuse(f.Status, icwsapi.Error{ErrorCode: -2147467259, Message: "An unexpected error occurred while processing the request."})
}
