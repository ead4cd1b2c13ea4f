package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"portico/cmd/internal/bench"
)

// Applications are those of many agents, in a Node process: proxy/push/conformance/agents.mjs, which says
// what they do.
type Applications struct {
	ctx     context.Context
	process *bench.Process
	at      string
}

// An Applicant is an agent whose application is to be opened.
type Applicant struct {
	Name     string   `json:"name"`
	Channels []string `json:"channels"` // that are started
	Ack      bool     `json:"ack"`      // the client acknowledges what it is told
	Writes   bool     `json:"writes"`   // the agent changes their own state
}

// An Account is what an agent's application saw.
type Account struct {
	Devices, Channels []Told // states of voice, as both kinds of notification told them, in order
	Handshakes        int
	Reads, Writes     int
	Unsure            int     // writes that Portico answered without having seen them done
	Slowest           int64   // of these, in ms
	Failures          []Event // what did not succeed
	Wrong             []Event // reads that did not show what was written just before
}

// Told is a state that a client was told.
type Told struct {
	At    int64 // Unix time in ms
	State string
}

// An Event is something that an application noted.
type Event struct {
	At   int64 // Unix time in ms
	What string
}

// StartApplications starts the process, which ends with ctx. Then the caller calls Wait.
func StartApplications(ctx context.Context, script string, stderr io.Writer) (*Applications, error) {
	p, err := bench.Start(ctx, stderr, nil, "node", script)
	if err != nil {
		return nil, err
	}
	found, err := p.Find(`^agents at (.+)$`)
	if err != nil {
		return nil, err
	}
	return &Applications{ctx: ctx, process: p, at: found[0]}, nil
}

// Wait waits until the process has ended.
func (a *Applications) Wait() { _ = a.process.Wait() }

// Open has agents log in at an address and listen, and returns once all do.
func (a *Applications) Open(door string, agents []Applicant) error {
	return a.do("/open", map[string]any{"door": door, "agents": agents}, nil)
}

// Work has all agents read, or write and read, every so many milliseconds, until Rest.
func (a *Applications) Work(every int) error {
	return a.do("/work", map[string]int{"every": every}, nil)
}

// Rest ends what Work began, and returns once nothing is under way.
func (a *Applications) Rest() error { return a.do("/rest", nil, nil) }

// Forget has all accounts begin anew.
func (a *Applications) Forget() error { return a.do("/forget", nil, nil) }

// Report returns the accounts, by the agents' names.
func (a *Applications) Report() (map[string]Account, error) {
	var accounts map[string]Account
	err := a.do("/report", nil, &accounts)
	return accounts, err
}

func (a *Applications) do(path string, body, answer any) error {
	return post(a.ctx, "http://"+a.at+path, body, answer)
}

// post sends a process JSON, nothing for nil, and reads the JSON that it answers into answer, unless that is nil.
func post(ctx context.Context, url string, body, answer any) error {
	text := []byte{}
	var err error
	if body != nil {
		text, err = json.Marshal(body)
	}
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(text))
	if err != nil {
		return err
	}
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = reply.Body.Close() }()
	said, err := io.ReadAll(reply.Body)
	if err == nil && reply.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s with %.200s: %s", url, text, said)
	}
	if err == nil && answer != nil {
		err = json.Unmarshal(said, answer)
	}
	return err
}
