package htccsim

import (
	"fmt"

	"portico/proxy/simulation"
)

// controls are the paths below /_sim/.
func (s *Server) controls() simulation.Controls {
	return simulation.Controls{Simulator: "htccsim", Paths: []simulation.Control{
		simulation.Get("calls", s.Calls),
		simulation.Get("log", s.Log),
		simulation.Do("reset", s.Reset),
		simulation.GetOf("state", "NAME", s.State),
		simulation.Post("state", s.changeState),
		simulation.Post("fault", s.armFault),
		simulation.Get("settings", s.shownSettings),
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

// faultRequest is a Fault in JSON.
type faultRequest struct {
	simulation.FaultRequest
	Location string `json:"location"`
}

func (s *Server) armFault(asked faultRequest) (struct{}, error) {
	f, err := asked.Fault()
	if err != nil {
		return struct{}{}, fmt.Errorf("htccsim: %w", err)
	}
	f.Location = asked.Location
	return struct{}{}, s.Fault(f)
}
