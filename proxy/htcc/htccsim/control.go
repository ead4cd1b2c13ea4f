package htccsim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// controls are the paths below /_sim/. They are neither counted nor logged, and no fault hits them.
const controls = "GET /_sim/calls, GET /_sim/log, POST /_sim/reset, GET /_sim/state?user=NAME, POST /_sim/state, POST /_sim/fault"

// serveControl answers in JSON, and in plain text when the request makes no sense.
func (s *Server) serveControl(w http.ResponseWriter, r *http.Request, path []string) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return // the caller is gone
	}
	name := ""
	if len(path) == 1 {
		name = path[0]
	}
	switch r.Method + " " + name {
	case "GET calls":
		writeControl(w, s.Calls(), nil)
	case "GET log":
		writeControl(w, append([]Entry{}, s.Log()...), nil)
	case "POST reset":
		s.Reset()
		writeControl(w, struct{}{}, nil)
	case "GET state":
		s.controlGetState(w, r)
	case "POST state":
		s.controlSetState(w, body)
	case "POST fault":
		writeControl(w, struct{}{}, s.controlFault(body))
	default:
		http.Error(w, "want one of "+controls, http.StatusNotFound)
	}
}

func writeControl(w http.ResponseWriter, body any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(encode(body), '\n')) // fails only if the caller is gone
}

func (s *Server) controlGetState(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("user")
	if name == "" {
		http.Error(w, "want GET /_sim/state?user=NAME", http.StatusBadRequest)
		return
	}
	state, err := s.State(name)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	writeControl(w, state, nil)
}

// controlSetState answers with the new state.
func (s *Server) controlSetState(w http.ResponseWriter, body []byte) {
	var change StateChange
	err := decodeControl(body, &change)
	if err != nil {
		writeControl(w, nil, err)
		return
	}
	err = s.SetState(change)
	if err != nil {
		writeControl(w, nil, err)
		return
	}
	state, err := s.State(change.User)
	writeControl(w, state, err)
}

func (s *Server) controlFault(body []byte) error {
	var asked struct {
		Scenario    string `json:"scenario"`
		Route       string `json:"route"`
		User        string `json:"user"`
		Host        string `json:"host"`
		Status      int    `json:"status"`
		Delay       string `json:"delay"`
		Times       int    `json:"times"`
		Body        string `json:"body"`
		ContentType string `json:"contentType"`
		Location    string `json:"location"`
		After       bool   `json:"after"`
	}
	err := decodeControl(body, &asked)
	if err != nil {
		return err
	}
	var delay time.Duration
	if asked.Delay != "" {
		delay, err = time.ParseDuration(asked.Delay)
		if err != nil {
			return fmt.Errorf("htccsim: delay %q: want a duration such as 500ms or 30s", asked.Delay)
		}
	}
	return s.Fault(Fault{
		Scenario: asked.Scenario, Route: asked.Route, User: asked.User, Host: asked.Host,
		Status: asked.Status, Delay: delay, Times: asked.Times,
		Body: asked.Body, ContentType: asked.ContentType, Location: asked.Location, After: asked.After,
	})
}

// decodeControl reads a control request, in which a member that v does not have is a mistake.
func decodeControl(body []byte, v any) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(v)
	if err != nil {
		return fmt.Errorf("htccsim: read the control request: %w; the controls are %s", err, controls)
	}
	return nil
}
