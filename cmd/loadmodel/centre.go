package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"

	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/translate/htccapi"
)

// A centre is a simulated contact centre behind its door, served on a port of its own.
type centre struct {
	*door
	address string
	server  *http.Server
	stop    func() // the simulator
	drop    func() error
}

// openCentres serves a simulator of each kind with the agents of the roster.
func openCentres(r roster) (map[kind]*centre, error) {
	pureconnect := &icwssim.Server{}
	cloud := &htccsim.Server{Users: users(r)}
	centres := map[kind]*centre{
		icws: {door: newDoor(icws, pureconnect, r), stop: pureconnect.Close,
			drop: func() error { return pureconnect.Fault(icwssim.Fault{Scenario: "drop-stream"}) }},
		htcc: {door: newDoor(htcc, cloud, r), stop: cloud.Close,
			drop: func() error { return cloud.Fault(htccsim.Fault{Scenario: "drop-stream"}) }},
	}
	var failed error
	for _, c := range centres {
		failed = errors.Join(failed, c.listen())
	}
	if failed != nil {
		closeAll(centres)
	}
	return centres, failed
}

// users returns the HTCC agents of the roster as the simulator is to know them. Each has a telephone
// and chat.
func users(r roster) []htccsim.User {
	var all []htccsim.User
	for _, a := range r {
		if a.kind == htcc {
			all = append(all, htccsim.User{UserName: a.name, Password: a.name, FirstName: "Agent", LastName: a.name,
				Phone: fmt.Sprintf("7%04d", a.number), Channels: []htccapi.MediaChannel{"chat"}, Settings: htccapi.SettingSections{}})
		}
	}
	if all == nil {
		all = []htccsim.User{} // nil is the stock users
	}
	return all
}

func (c *centre) listen() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	c.address = listener.Addr().String()
	// Without time-outs: one would close connections that applications hold in reserve, at the moment
	// they take one.
	c.server = &http.Server{Handler: c.door}
	go func() { _ = c.server.Serve(listener) }() // until close
	return nil
}

func closeAll(centres map[kind]*centre) {
	for _, c := range centres {
		c.stop() // first, or streams would hold the server
		if c.server != nil {
			_ = c.server.Close()
		}
	}
}

// check returns where the model's counts are not the simulator's own.
func (c *centre) check(ctx context.Context) ([]string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.address+"/_sim/calls", nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	var said map[string]int
	err = json.NewDecoder(res.Body).Decode(&said)
	if err != nil {
		return nil, fmt.Errorf("read the simulator's own totals: %w", err)
	}
	return differences(c.counted(), said), nil
}
