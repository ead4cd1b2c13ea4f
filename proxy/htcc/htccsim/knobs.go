package htccsim

import (
	"encoding/json"
	"errors"
	"fmt"

	"portico/proxy/simulation"
)

// knobs are the fields of Server that can be set while it runs, under their own names. Those of CometD restart it.
func (s *Server) knobs() simulation.Knobs {
	return simulation.Knobs{
		simulation.At("connectTimeout", &s.ConnectTimeout, simulation.NotNegative),
		simulation.At("lenientCometD", &s.LenientCometD, nil),
		simulation.At("maxInterval", &s.MaxInterval, simulation.NotNegative),
	}
}

func (s *Server) shownSettings() map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.knobs().Values()
}

// changeSettings returns all settings as they are then.
func (s *Server) changeSettings(asked map[string]json.RawMessage) (map[string]any, error) {
	values, stop, err := s.turn(asked)
	if err != nil {
		return nil, fmt.Errorf("htccsim: %w", err)
	}
	stop()
	return values, nil
}

func (s *Server) turn(asked map[string]json.RawMessage) (values map[string]any, stop func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life.IsOver() {
		return nil, nil, errors.New("the server is closed")
	}
	knobs := s.knobs()
	err = knobs.Turn(asked)
	if err != nil {
		return nil, nil, err
	}
	return knobs.Values(), s.restartCometD(), nil
}
