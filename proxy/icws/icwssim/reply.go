package icwssim

import (
	"net/http"

	"portico/proxy/simulation"
	"portico/translate/icwsapi"
)

// reply is a finished answer, or the stream that is to be one.
type reply struct {
	status      int
	header      http.Header
	contentType string // empty: the ICWS one
	body        []byte
	errorID     string // for the log
	stream      *session

	// What a refusal says, in English, and its body with other words.
	message string
	inWords func(message string) any
}

// in returns a refusal in the language; body has it in English.
//
// Source: ICWS reference, error: the message is localized.
func (r reply) in(language *Language) reply {
	if r.inWords != nil {
		r.body = simulation.Encode(r.inWords(language.say(r.message)))
	}
	return r
}

// write sends r. Answers without content have the content type too, as on a real server; only 204
// has none.
func (r reply) write(w http.ResponseWriter) {
	for name, values := range r.header {
		w.Header()[name] = values
	}
	if r.status != http.StatusNoContent {
		contentType := r.contentType
		if contentType == "" {
			contentType = icwsapi.ContentType
		}
		w.Header().Set("Content-Type", contentType)
	}
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body) // fails only if the caller is gone
}

func success(body any) reply { return answer(http.StatusOK, body) }

// empty is a success that says nothing.
func empty(status int) reply { return reply{status: status, header: http.Header{}} }

func answer(status int, body any) reply {
	return reply{status: status, header: http.Header{}, body: simulation.Encode(body)}
}

func refuse(status int, body icwsapi.Error) reply {
	r := refuseAs(status, body.ErrorID, body.Message, func(message string) any {
		body.Message = message
		return body
	})
	if status == http.StatusUnauthorized {
		challenge(r.header)
	}
	return r
}

// refuseAs is a refusal of any shape.
func refuseAs(status int, errorID, message string, inWords func(message string) any) reply {
	r := answer(status, inWords(message))
	r.errorID, r.message, r.inWords = errorID, message, inWords
	return r
}

// challenge adds the header of every 401.
//
// Source: ICWS reference, status-messages, 401.
func challenge(h http.Header) {
	h["WWW-Authenticate"] = []string{`ICWS realm="ICWS" location="/ICWS/connection"`} // in this spelling
}

func badRequest(message string) reply {
	return refuse(http.StatusBadRequest, icwsapi.Error{ErrorID: "error.request.invalidRepresentation", Message: message})
}

func missingProperty(name string) reply {
	return refuse(http.StatusBadRequest, icwsapi.Error{
		Type: icwsapi.TypeMissingProperty, ErrorID: "error.request.invalidRepresentation.missingProperty",
		Message: "The required property " + name + " is missing.", PropertyName: name,
	})
}

func invalidProperty(name, message string) reply {
	return refuse(http.StatusBadRequest, icwsapi.Error{
		Type: icwsapi.TypeInvalidProperty, ErrorID: icwsapi.ErrorInvalidProperty, Message: message, PropertyName: name,
	})
}

// invalidParameter refuses what a path names, where the reference lists no 404.
func invalidParameter(message string) reply {
	return refuse(http.StatusBadRequest, icwsapi.Error{ErrorID: "error.request.invalidParameter", Message: message})
}

func forbidden(message string) reply {
	return refuse(http.StatusForbidden, icwsapi.Error{ErrorID: "error.request.accessDenied", ErrorCode: 7, Message: message})
}

func withoutLicence(status int, message string) reply {
	return refuse(status, icwsapi.Error{ErrorID: "error.request.license", Message: message})
}

func noSuchUser() reply {
	return refuse(http.StatusNotFound, icwsapi.Error{ErrorID: "error.request.notFound", Message: "The user does not exist."})
}

func noSuchWorkgroup() reply {
	return refuse(http.StatusNotFound, icwsapi.Error{ErrorID: "error.request.notFound", Message: "The workgroup does not exist."})
}

func notFound() reply {
	return refuse(http.StatusNotFound, icwsapi.Error{ErrorID: "error.request.notFound", Message: "The resource does not exist."})
}

// unavailable is the answer of a node that takes no sessions, which names those that may.
func unavailable(hosts []string) reply {
	if hosts == nil {
		hosts = []string{}
	}
	const message = "This Session Manager is not currently accepting connections."
	return refuseAs(http.StatusServiceUnavailable, icwsapi.ErrorNotAcceptingConnections, message, func(message string) any {
		return icwsapi.AlternateHosts{ErrorID: icwsapi.ErrorNotAcceptingConnections, Message: message, AlternateHostList: hosts}
	})
}
