package native

import (
	"encoding/json"
	"net/http"

	"portico/proxy/fault"
	"portico/translate/icwsapi"
)

// ContentType is the media type of Failure.
const ContentType = icwsapi.ContentType

// Failure returns what an ICWS application reads of an error, in the form of its API's own.
// There is no other host to try: we have tried those there are.
func Failure(err error) []byte {
	message := fault.Public(err)
	var body any
	switch fault.Status(err) {
	case http.StatusServiceUnavailable:
		body = icwsapi.AlternateHosts{ErrorID: icwsapi.ErrorUnavailable, Message: message, AlternateHostList: []string{}}
	case http.StatusMethodNotAllowed:
		body = icwsapi.Error{ErrorID: icwsapi.ErrorMethodNotAllowed, Message: message}
	default:
		body = icwsapi.Error{Message: message}
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		panic("native: texts cannot fail to encode: " + err.Error())
	}
	return encoded
}
