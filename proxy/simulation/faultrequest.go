package simulation

import (
	"fmt"
	"time"
)

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
