package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"portico/cmd/internal/bench"
)

// counted is an outcome that many add to.
type counted struct {
	mu  sync.Mutex
	got outcome
}

func (c *counted) add(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.got == nil {
		c.got = outcome{}
	}
	c.got[what]++
}

// sideBySide runs f in n goroutines, at most once per gap, until ctx ends or f has been run most times.
func sideBySide(ctx context.Context, n, most int, gap time.Duration, f func(i int)) {
	var running sync.WaitGroup
	turns := make(chan int)
	for range n {
		running.Go(func() {
			for i := range turns {
				f(i)
			}
		})
	}
	for i := range most {
		if bench.Pause(ctx, gap) != nil {
			break
		}
		turns <- i
	}
	close(turns)
	running.Wait()
}

const manyIdle = 10_000

// idleConnections opens connections that say nothing, and holds each until it is closed.
func idleConnections(ctx context.Context, door string) (outcome, error) {
	var all counted
	var held sync.WaitGroup
	for range manyIdle {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", door)
		if err != nil {
			all.add("refused")
			continue
		}
		all.add("opened")
		held.Go(func() {
			defer conn.Close()
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			defer stop()
			_, err := conn.Read(make([]byte, 1))
			if err != nil && ctx.Err() == nil {
				all.add("closed")
			}
		})
	}
	held.Wait()
	return all.got, nil
}

const gigabyte = 1 << 30

// largeBodies posts bodies of 1 GB, two at a time, with a length and in chunks, logged in and not.
func largeBodies(ctx context.Context, door string) (outcome, error) {
	var all counted
	sideBySide(ctx, 2, gigabyte, 50*time.Millisecond, func(i int) {
		request, err := http.NewRequestWithContext(ctx, "POST", "http://"+door+"/api/v2/me", io.LimitReader(endless{}, gigabyte))
		if err != nil {
			all.add(err.Error())
			return
		}
		if i%2 == 0 {
			request.ContentLength = gigabyte
		}
		if i%4 < 2 {
			request.SetBasicAuth(hostile, hostile)
		}
		all.send(ctx, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, request)
	})
	return all.got, nil
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// send sends a request and counts what came back.
func (c *counted) send(ctx context.Context, client *http.Client, request *http.Request) {
	answer, err := client.Do(request)
	if err != nil {
		if ctx.Err() == nil {
			c.add("closed")
		}
		return
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	c.add(strconv.Itoa(answer.StatusCode))
}

const (
	manyLogins  = 100_000
	loginsEvery = 350 * time.Microsecond
	addresses   = 200  // that they come from
	guessers    = 1000 // at once: as many as Portico has wait for its answer
)

// wrongLogins logs in with wrong passwords, from many addresses: half of them at the names of agents
// who work here.
func wrongLogins(ctx context.Context, door string) (outcome, error) {
	var all counted
	clients := make([]*http.Client, addresses)
	for i := range clients {
		from := &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(i+1))}
		clients[i] = &http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{LocalAddr: from}).DialContext, MaxIdleConnsPerHost: guessers / addresses}}
	}
	sideBySide(ctx, guessers, manyLogins, loginsEvery, func(i int) {
		name := fmt.Sprintf("agent%04d", i%100+1)
		if i%2 == 0 {
			name = fmt.Sprintf("nobody%d", i)
		}
		request, err := http.NewRequestWithContext(ctx, "GET", "http://"+door+"/api/v2/me", nil)
		if err != nil {
			all.add(err.Error())
			return
		}
		request.SetBasicAuth(name, fmt.Sprintf("guess%d", i))
		all.send(ctx, clients[i%addresses], request)
	})
	return all.got, nil
}

// deepJSON posts nested arrays, as large as a body may be, to what takes JSON, 100 a second.
func deepJSON(ctx context.Context, door string) (outcome, error) {
	var all counted
	deep := strings.Repeat("[", 32<<10) + strings.Repeat("]", 32<<10-1)
	paths := []string{"/api/v2/me", "/me/channels/voice", "/api/v2/notifications"}
	client := &http.Client{}
	sideBySide(ctx, 2, gigabyte, 10*time.Millisecond, func(i int) {
		request, err := http.NewRequestWithContext(ctx, "POST", "http://"+door+paths[i%len(paths)], strings.NewReader(deep))
		if err != nil {
			all.add(err.Error())
			return
		}
		request.SetBasicAuth(hostile, hostile)
		request.Header.Set("Content-Type", "application/json")
		all.send(ctx, client, request)
	})
	return all.got, nil
}
