package simulation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxBody is what is read of a control request's body.
const maxBody = 1 << 20 // bytes

// Controls are the paths below /_sim/ of one simulator. They are neither counted nor logged, and no
// fault hits them.
type Controls struct {
	Simulator string // begins the errors that are not its own
	Paths     []Control
}

// Control is one of the paths. Get, GetOf, Post and Do make them.
type Control struct {
	method, name string
	owner        string // what the parameter "user" is, which must be there; empty: no parameter
	refusal      int    // HTTP status of an error
	answer       func(user string, body []byte) (any, error)
}

// Get answers GET /_sim/name with what show returns.
func Get[T any](name string, show func() T) Control {
	return Control{method: http.MethodGet, name: name,
		answer: func(string, []byte) (any, error) { return show(), nil }}
}

// GetOf answers GET /_sim/name?user=OWNER with what show returns of that user. An error means that
// there is none.
func GetOf[T any](name, owner string, show func(user string) (T, error)) Control {
	return Control{method: http.MethodGet, name: name, owner: owner, refusal: http.StatusNotFound,
		answer: func(user string, _ []byte) (any, error) { return show(user) }}
}

// Post answers POST /_sim/name with what do returns for the JSON of the request.
func Post[T, R any](name string, do func(asked T) (R, error)) Control {
	return Control{method: http.MethodPost, name: name, refusal: http.StatusBadRequest,
		answer: func(_ string, body []byte) (any, error) {
			var asked T
			err := Decode(body, &asked)
			if err != nil {
				return nil, err
			}
			return do(asked)
		}}
}

// Do answers POST /_sim/name, whatever it says, with {} when do is done.
func Do(name string, do func()) Control {
	return Control{method: http.MethodPost, name: name,
		answer: func(string, []byte) (any, error) {
			do()
			return struct{}{}, nil
		}}
}

// String returns the request as it is to be.
func (c Control) String() string {
	if c.owner != "" {
		return c.method + " /_sim/" + c.name + "?user=" + c.owner
	}
	return c.method + " /_sim/" + c.name
}

// Serve answers in JSON, and in plain text when the request makes no sense. path is what follows
// /_sim/.
func (cs Controls) Serve(w http.ResponseWriter, r *http.Request, path []string) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		http.Error(w, "the control request breaks off", http.StatusBadRequest)
		return
	}
	name := strings.Join(path, "/")
	for _, control := range cs.Paths {
		if control.method == r.Method && control.name == name {
			cs.run(control, w, r.URL.Query().Get("user"), body)
			return
		}
	}
	http.Error(w, "want one of "+cs.list(), http.StatusNotFound)
}

func (cs Controls) run(control Control, w http.ResponseWriter, user string, body []byte) {
	if control.owner != "" && user == "" {
		http.Error(w, "want "+control.String(), http.StatusBadRequest)
		return
	}
	answer, err := control.answer(user, body)
	if wrong, isMisread := errors.AsType[misread](err); isMisread {
		err = fmt.Errorf("%s: read the control request: %w; the controls are %s", cs.Simulator, wrong.error, cs.list())
	}
	if err != nil {
		http.Error(w, err.Error(), control.refusal)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(Encode(answer), '\n')) // fails only if the caller is gone
}

func (cs Controls) list() string {
	var requests []string
	for _, control := range cs.Paths {
		requests = append(requests, control.String())
	}
	return strings.Join(requests, ", ")
}

// misread is the error of a request that is not the JSON it should be; Controls says the rest.
type misread struct{ error }

// Decode reads a control request or part of one, in which a member that v does not have is a
// mistake, as is anything that follows.
func Decode(body []byte, v any) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(v)
	if err != nil {
		return misread{err}
	}
	_, err = decoder.Token()
	if err != io.EOF {
		return misread{errors.New("something follows the JSON object")}
	}
	return nil
}

// FaultRequest is a Fault in the JSON of POST /_sim/fault, as far as all simulators know its
// members. Each adds those of its own scenarios.
type FaultRequest struct {
	Scenario    string `json:"scenario"`
	Route       string `json:"route"`
	User        string `json:"user"`
	Host        string `json:"host"`
	Status      int    `json:"status"`
	Delay       string `json:"delay"` // such as "30s"
	Times       int    `json:"times"`
	Body        string `json:"body"`
	ContentType string `json:"contentType"`
	After       bool   `json:"after"`
}

// Fault returns what is asked for. It fails if Delay is no duration.
func (asked FaultRequest) Fault() (Fault, error) {
	var delay time.Duration
	if asked.Delay != "" {
		var err error
		delay, err = time.ParseDuration(asked.Delay)
		if err != nil {
			return Fault{}, fmt.Errorf("delay %q: want a duration such as 500ms or 30s", asked.Delay)
		}
	}
	return Fault{
		Scenario: asked.Scenario, Route: asked.Route, User: asked.User, Host: asked.Host,
		Status: asked.Status, Delay: delay, Times: asked.Times,
		Body: asked.Body, ContentType: asked.ContentType, After: asked.After,
	}, nil
}
