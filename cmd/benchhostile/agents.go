package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// agents are those who work while others attack. Each has a connection of its own.
type agents struct {
	door    string
	clients []*http.Client
	cookies []string
	every   time.Duration // between two requests of one agent
}

// A served is how a round's requests were served.
type served struct {
	took   []time.Duration // sorted, from when each was due
	failed int
	first  error // the first failure
}

const answerWithin = 20 * time.Second

// logIn logs the agents in, and leaves each with a cookie.
func logIn(ctx context.Context, door string, s settings) (*agents, error) {
	a := &agents{door: door, every: time.Second * time.Duration(s.agents) / time.Duration(s.rate)}
	for i := range s.agents {
		cookie, err := logInAs(ctx, door, fmt.Sprintf("agent%04d", i+1))
		if err != nil {
			return nil, err
		}
		client := &http.Client{Timeout: answerWithin, Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
		a.clients, a.cookies = append(a.clients, client), append(a.cookies, cookie)
	}
	return a, nil
}

// hostile is an agent with a password who attacks.
const hostile = "agent9999"

// logInAs logs an agent in and returns the cookie.
func logInAs(ctx context.Context, door, name string) (string, error) {
	answer, err := ask(ctx, http.DefaultClient, "POST", "http://"+door+"/api/v2/me", `{"operationName":"NotReady"}`,
		"Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(name+":"+name)))
	if err != nil {
		return "", fmt.Errorf("log %s in: %w", name, err)
	}
	cookie, _, _ := strings.Cut(answer.Header.Get("Set-Cookie"), ";")
	return cookie, nil
}

// ask sends a request and reads the answer, which must be 200. Headers are names and values in turn.
func ask(ctx context.Context, client *http.Client, method, url, body string, headers ...string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s = %d %.200s", method, url, answer.StatusCode, text)
	}
	return answer, err
}

// work has every agent send requests at a steady pace until ctx ends: nine reads to a change of
// state. A request that waits for an answer before it is late, and that counts.
func (a *agents) work(ctx context.Context) served {
	var mu sync.Mutex
	var all served
	var working sync.WaitGroup
	for i := range a.clients {
		working.Go(func() {
			due := time.Now().Add(rand.N(a.every))
			for n := 0; ; n++ {
				select {
				case <-time.After(time.Until(due)):
				case <-ctx.Done():
					return
				}
				err := a.request(i, n)
				mu.Lock()
				all.took = append(all.took, time.Since(due))
				if err != nil {
					all.failed++
					all.first = err
				}
				mu.Unlock()
				due = due.Add(a.every)
			}
		})
	}
	working.Wait()
	slices.Sort(all.took)
	return all
}

func (a *agents) request(i, n int) error {
	method, body := "GET", ""
	if (n+i)%10 == 0 {
		method, body = "POST", fmt.Sprintf(`{"operationName":%q}`, []string{"Ready", "NotReady"}[n/10%2])
	}
	_, err := ask(context.Background(), a.clients[i], method, "http://"+a.door+"/api/v2/me", body, "Cookie", a.cookies[i])
	return err
}
