package htccsim

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"
	"time"

	"portico/proxy/simulation"
	"portico/translate/htccapi"
)

const contentType = "application/json;charset=UTF-8"

// Values of statusCode.
//
// Source: GWS 8.5.2, ReturnValues.
const (
	codeOK          = 0
	codeMissing     = 1 // required parameter missing
	codeInvalid     = 2 // parameter not valid for the current state
	codeForbidden   = 3
	codeInternal    = 4 // a server behind this one failed
	codePermission  = 5
	codeNotFound    = 6
	codePartial     = htccapi.StatusPartial
	codeNoRetrieval = 12 // unable to retrieve the resource
	codeAnonymous   = 20 // not authenticated
)

// statusOf returns the HTTP status of a statusCode. Only those of 0, 4, 7 and 20 were seen, and one
// that is likely to be that of 12; the rest is a guess.
func statusOf(code int) int {
	switch code {
	case codeOK, codePartial:
		return http.StatusOK
	case codeMissing, codeInvalid:
		return http.StatusBadRequest
	case codeForbidden, codePermission, codeAnonymous:
		return http.StatusForbidden
	case codeNotFound:
		return http.StatusNotFound
	case codeNoRetrieval:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// reply is a finished answer, or what is to be done to give one.
type reply struct {
	status      int
	header      http.Header
	contentType string // empty: JSON
	body        []byte
	code        int           // statusCode, for the log
	hold        time.Duration // before the answer is sent
	serve       func(w http.ResponseWriter, r *http.Request)
}

// write sends r.
func (r reply) write(w http.ResponseWriter) {
	for name, values := range r.header {
		w.Header()[name] = append(w.Header()[name], values...)
	}
	w.Header().Set("Content-Type", cmp.Or(r.contentType, contentType))
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body) // fails only if the caller is gone
}

// success is an answer of what was asked for, in the call's dialect: the wrapper of a single user is
// not there in the documents' dialect.
func (c *call) success(members ...member) reply {
	return c.answer(http.StatusOK, codeOK, c.verdict(codeOK, "", members))
}

// done answers an operation that succeeded.
func (c *call) done() reply { return c.success() }

// refuse answers that it cannot be.
func (c *call) refuse(code int, message string) reply {
	return c.answer(statusOf(code), code, c.verdict(code, message, nil))
}

// verdict opens an answer as the dialect wants it.
//
// Source: GWS 8.5.2, ReturnValues; vendor reference, Set agent states across all channels.
func (c *call) verdict(code int, message string, members []member) any {
	switch {
	case c.dialect != htccapi.DialectStatus && message != "":
		return object{{"statusCode", code}, {"statusMessage", message}}
	case c.dialect != htccapi.DialectStatus:
		return append(object{{"statusCode", code}}, members...)
	case message != "":
		return object{{"status", htccapi.StatusError}, {"errorDescription", message}}
	case len(members) == 0:
		return object{{"status", htccapi.StatusOK}}
	case len(members) == 1 && members[0].name == "user":
		return members[0].value
	}
	return object(slices.DeleteFunc(members, func(m member) bool { return m.name == "key" }))
}

var statusCode = regexp.MustCompile(`("statusCode":)(\d+)`)

func (c *call) answer(status, code int, body any) reply {
	encoded := simulation.Encode(body)
	if c.stringCodes {
		encoded = statusCode.ReplaceAll(encoded, []byte(`$1"$2"`))
	}
	return reply{status: status, code: code, header: http.Header{}, body: encoded}
}

// denied answers an anonymous caller. There is no challenge, so that browsers show no dialogue.
//
// Source: captured traffic of GWS 8.5.202.96.
func (c *call) denied() reply { return c.refuse(codeAnonymous, "Access denied") }

func (c *call) notFound() reply { return c.refuse(codeNotFound, "Resource not found") }

// list answers with a collection: URIs without fields, and objects with. The other dialect has no
// URIs.
//
// Source: HTCC 8.5.0, RequestParameters.
func (c *call) list(name string, objects []object) reply {
	query := c.request.URL.Query()
	fields := selected(query, fieldsParameter)
	objects = filter(objects, query)
	if !fields.isGiven && c.dialect != htccapi.DialectStatus {
		uris := []string{}
		for _, o := range objects {
			uri, is := o.text("uri")
			if is {
				uris = append(uris, uri)
			}
		}
		return c.success(member{"uris", uris})
	}
	kept := []object{}
	for _, o := range objects {
		kept = append(kept, fields.restrict(o))
	}
	return c.success(member{name, kept})
}

// one answers with a single resource, cut down to the fields asked for.
func (c *call) one(name string, v any) reply {
	return c.success(member{name, selected(c.request.URL.Query(), fieldsParameter).restrict(objectOf(v))})
}
