package push

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// A badRequest is a request without a usable batch, and the status that says so.
type badRequest struct {
	status int
	text   string // the body; CometD sends none for what it cannot parse
}

func (e *badRequest) Error() string { return "push: bad request: " + e.text }

// read returns the messages of a long-polling request, at least one. Its error is a *badRequest.
func (s *Server) read(w http.ResponseWriter, r *http.Request) ([]message, error) {
	if r.Method != http.MethodPost {
		return nil, &badRequest{http.StatusBadRequest, "Unknown Bayeux Transport"}
	}
	body := borrow()
	defer body.giveBack() // nothing that is decoded points into it
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, int64(s.opts.MaxMessageSize)))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, &badRequest{http.StatusRequestEntityTooLarge, "request too large"}
	}
	if err != nil {
		return nil, &badRequest{http.StatusBadRequest, "request body ended early"}
	}
	batch, err := decodeBody(r.Header.Get("Content-Type"), body.Bytes())
	if err != nil {
		return nil, err
	}
	return batch, s.check(batch)
}

// decodeBody reads a body as its content type says. Without one it is JSON; form values named
// "message" hold JSON each.
//
// Source: The Bayeux Protocol Specification 1.0, "The long-polling transport"; CometD 3.1, AsyncJSONTransport.
func decodeBody(contentType string, body []byte) ([]message, error) {
	media, _, _ := strings.Cut(contentType, ";")
	switch strings.ToLower(strings.TrimSpace(media)) {
	case "", "application/json":
		return decode(body)
	case "application/x-www-form-urlencoded":
		return decodeForm(body)
	}
	return nil, &badRequest{http.StatusBadRequest, "Invalid Content-Type"}
}

func decodeForm(body []byte) ([]message, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, &badRequest{status: http.StatusBadRequest}
	}
	var batch []message
	for _, value := range form["message"] {
		some, err := decode([]byte(value))
		if err != nil {
			return nil, err
		}
		batch = append(batch, some...)
	}
	return batch, nil
}

// decode reads an array of messages, or one message alone.
func decode(text []byte) ([]message, error) {
	plain, ok := decodePlain(text)
	if ok {
		return plain, nil
	}
	text = bytes.TrimLeft(text, " \t\r\n")
	if bytes.HasPrefix(text, []byte("{")) {
		var one message
		err := json.Unmarshal(text, &one)
		if err != nil {
			return nil, &badRequest{status: http.StatusBadRequest}
		}
		return []message{one}, nil
	}
	var batch []message
	err := json.Unmarshal(text, &batch)
	if err != nil {
		return nil, &badRequest{status: http.StatusBadRequest}
	}
	return batch, nil
}

// check reports what is wrong with a batch as a whole: CometD refuses the request then.
func (s *Server) check(batch []message) error {
	if len(batch) == 0 {
		return &badRequest{http.StatusBadRequest, "no messages"}
	}
	if len(batch) > s.opts.MaxBatch {
		return &badRequest{http.StatusRequestEntityTooLarge, "too many messages"}
	}
	for i := range batch {
		if batch[i].Channel == metaHandshake && len(batch) > 1 {
			return &badRequest{http.StatusBadRequest, "a handshake comes alone"}
		}
	}
	return nil
}
