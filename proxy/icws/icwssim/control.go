package icwssim

import (
	"encoding/json"
	"fmt"

	"portico/proxy/simulation"
)

// controls are the paths below /_sim/.
func (s *Server) controls() simulation.Controls {
	return simulation.Controls{Simulator: "icwssim", Paths: []simulation.Control{
		simulation.Get("calls", s.Calls),
		simulation.Get("log", s.Log),
		simulation.Do("reset", s.Reset),
		simulation.GetOf("state", "ID", s.State),
		simulation.Post("state", s.changeState),
		simulation.Post("catalogue", s.takeCatalogue),
		simulation.Post("fault", s.armFault),
		simulation.Get("settings", s.settings),
		simulation.Post("settings", s.changeSettings),
	}}
}

// changeState returns the new state.
func (s *Server) changeState(change StateChange) (State, error) {
	err := s.SetState(change)
	if err != nil {
		return State{}, err
	}
	return s.State(change.User)
}

// catalogueRequest is a CatalogueChange in JSON, in which an entry to be changed names only what
// changes, and an entry to be added may leave out everything but its id.
type catalogueRequest struct {
	Add    []json.RawMessage `json:"add"`
	Change []json.RawMessage `json:"change"`
	Remove []string          `json:"remove"`
}

func (s *Server) takeCatalogue(asked catalogueRequest) (struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change, err := s.readCatalogueChange(asked)
	if err != nil {
		return struct{}{}, err
	}
	return struct{}{}, s.changeCatalogue(change)
}

// faultRequest is a Fault in JSON.
type faultRequest struct {
	simulation.FaultRequest
	Hosts        []string `json:"hosts"`
	KeepSessions bool     `json:"keepSessions"`
	Reason       string   `json:"reason"`
}

func (s *Server) armFault(asked faultRequest) (struct{}, error) {
	f, err := asked.Fault()
	if err != nil {
		return struct{}{}, fmt.Errorf("icwssim: %w", err)
	}
	f.Hosts, f.KeepSessions, f.Reason = asked.Hosts, asked.KeepSessions, asked.Reason
	return struct{}{}, s.Fault(f)
}
