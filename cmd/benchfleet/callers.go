package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"portico/cmd/internal/fleet"
)

// A request is one that agents make again and again. Its bodies are sent in turn.
type request struct {
	name, method string
	bodies       []string
}

var (
	read  = request{"GET /me", http.MethodGet, []string{""}}
	write = request{"POST /me", http.MethodPost, []string{`{"operationName":"Ready"}`, `{"operationName":"NotReady"}`}}
)

// callers are the agents, who call from a few connections in turn.
type callers struct {
	settings settings
	http     *http.Client
	cookies  []*http.Cookie
}

func newCallers(s settings) *callers {
	return &callers{settings: s, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: s.atOnce}}}
}

// logIn has all agents log in, and keeps their cookies.
func (c *callers) logIn(ctx context.Context, door string) error {
	c.cookies = make([]*http.Cookie, c.settings.agents)
	return c.each(ctx, c.settings.agents, 0, func(i int) error {
		ask, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+door+"/me", nil)
		if err != nil {
			return err
		}
		name := fleet.Agent(i + 1)
		ask.SetBasicAuth(name, name)
		answer, err := c.do(ask)
		if err != nil {
			return err
		}
		for _, one := range answer.Cookies() {
			if one.Name == "JSESSIONID" {
				c.cookies[i] = one
			}
		}
		return nil
	})
}

// served is how long requests took that were answered, sorted.
type served struct{ took []time.Duration }

// play has agents make requests at a replica, so many, or, where that is 0, for some time.
func (c *callers) play(ctx context.Context, door string, kind request, count int, lasting time.Duration) (served, error) {
	var mu sync.Mutex
	var s served
	err := c.each(ctx, count, lasting, func(i int) error {
		body := kind.bodies[i/len(c.cookies)%len(kind.bodies)]
		ask, err := http.NewRequestWithContext(ctx, kind.method, "http://"+door+"/me", strings.NewReader(body))
		if err != nil {
			return err
		}
		ask.AddCookie(c.cookies[i%len(c.cookies)])
		began := time.Now()
		_, err = c.do(ask)
		took := time.Since(began)
		mu.Lock()
		defer mu.Unlock()
		s.took = append(s.took, took)
		return err
	})
	slices.Sort(s.took)
	return s, err
}

// each calls f for 0, 1 and so on, some side by side, so often, or for some time, or until one fails.
func (c *callers) each(ctx context.Context, count int, lasting time.Duration, f func(i int) error) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	began := time.Now()
	var next atomic.Int64
	var work sync.WaitGroup
	for range c.settings.atOnce {
		work.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= count && time.Since(began) >= lasting {
					return
				}
				err := f(i)
				if err != nil {
					fail(err)
				}
			}
		})
	}
	work.Wait()
	return context.Cause(ctx)
}

// do sends a request that is to succeed, and reads the answer.
func (c *callers) do(ask *http.Request) (*http.Response, error) {
	answer, err := c.http.Do(ask)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	said, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %d %s", ask.Method, ask.URL, answer.StatusCode, said)
	}
	return answer, err
}
