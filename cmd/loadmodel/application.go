package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// An application is what an agent works with. Its methods are called one at a time, but poll, which may
// be called beside change. What they return is what went wrong for the agent.
type application interface {
	logIn(ctx context.Context) error
	change(ctx context.Context, to state) error
	reload(ctx context.Context) error
	foreground(ctx context.Context) error
	reconnect(ctx context.Context) error // after the network broke
	poll(ctx context.Context) error
	logOut(ctx context.Context) error
	close() // lets go of everything without a word
}

// A deed is a part of what an application does.
type deed = func(ctx context.Context) error

// inTurn does one after the other until one fails.
func inTurn(ctx context.Context, deeds ...deed) error {
	for _, do := range deeds {
		err := do(ctx)
		if err != nil {
			return err
		}
	}
	return nil
}

// patience is how long an application waits for an answer. It is longer than a machine is slow: what
// is measured here is how often contact centres are asked.
const patience = time.Minute

// transport serves all applications. Few have more than one call under way besides the one that is
// held.
func transport(agents int) *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, 2*agents
	t.DisableCompression = true
	return t
}

// A request is one call of an application.
type request struct {
	method string
	url    string
	header http.Header
	body   any // nil for none
}

// An answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// do makes a call and reads its answer. It fails where there is none.
func (r request) do(ctx context.Context, by *http.Client) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	res, err := r.send(ctx, by)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return answer{}, fmt.Errorf("%s %s: %w", r.method, r.url, err)
	}
	return answer{res.StatusCode, res.Header, body}, nil
}

// send makes a call whose answer may go on for ever.
func (r request) send(ctx context.Context, by *http.Client) (*http.Response, error) {
	var body io.Reader
	if r.body != nil {
		encoded, err := json.Marshal(r.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, r.url, body)
	if err != nil {
		return nil, err
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	req.Header["X-Idempotency-Key"] = nil // not sent; has a connection that was closed unnoticed replaced
	return by.Do(req)
}

// unexpected is the error of an answer that no application can go on with.
func (r request) unexpected(got answer) error {
	return fmt.Errorf("%s %s: %d %.200s", r.method, r.url, got.status, got.body)
}

// An ear is a connection on which an application hears of changes, and the goroutine that listens. The
// zero value listens to nothing.
type ear struct {
	deafen context.CancelFunc
	deaf   chan struct{} // closed when the goroutine has ended
}

// listen runs hear in a goroutine of its own until close is called.
func (e *ear) listen(life context.Context, hear func(context.Context)) {
	ctx, cancel := context.WithCancel(life)
	e.deafen, e.deaf = cancel, make(chan struct{})
	go func(deaf chan struct{}) {
		defer close(deaf)
		hear(ctx)
	}(e.deaf)
}

// close breaks the connection off.
func (e *ear) close() {
	if e.deafen == nil {
		return
	}
	e.deafen()
	<-e.deaf
	e.deafen = nil
}

// rest waits, or until ctx ends.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
