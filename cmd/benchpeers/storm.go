package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// A storm is what came of thousands of log-ins that begin as fast as the pace has them.
type storm struct {
	agents    int
	fetches   int             // of the catalogue, for all
	took      []time.Duration // sorted, by those who came through Portico
	direct    []time.Duration // sorted, by those who made the same calls at the contact centre, meanwhile
	queued    time.Duration   // in Portico's queue, on average: part of what was taken
	refused   int             // with 503, being too many
	languages int
}

// Who comes when: so many agents a second, far fewer than the pace lets in, so that they do not queue;
// and to so many of them one more who goes to the contact centre directly.
const (
	arrivals    = 200
	directEvery = 4
)

var languages = []string{"en-us", "de"}

// storm logs agents in, each with a connection that another may have used.
func (w *world) storm(ctx context.Context, agents int) (*storm, error) {
	s := &storm{agents: agents, languages: len(languages)}
	before, err := w.calls(ctx)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000}}
	defer client.CloseIdleConnections()
	err = s.arrive(ctx, w, client)
	if err != nil {
		return nil, err
	}
	after, err := w.calls(ctx)
	if err != nil {
		return nil, err
	}
	s.fetches = after[routeCatal] - before[routeCatal]
	slices.Sort(s.took)
	slices.Sort(s.direct)
	s.queued, err = w.queued(ctx)
	return s, err
}

// arrive has agents come at a steady rate, whatever becomes of those before.
func (s *storm) arrive(ctx context.Context, w *world, client *http.Client) error {
	var mu sync.Mutex
	timed := func(list *[]time.Duration, login func() (served bool, err error)) error {
		began := time.Now()
		served, err := login()
		took := time.Since(began)
		mu.Lock()
		defer mu.Unlock()
		if served {
			*list = append(*list, took)
		} else {
			s.refused++
		}
		return err
	}
	coming, ctx := errgroup.WithContext(ctx)
	began := time.Now()
	for i := range s.agents {
		time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / arrivals)))
		if ctx.Err() != nil {
			break
		}
		coming.Go(func() error {
			return timed(&s.took, func() (bool, error) { return throughPortico(ctx, client, w.door, i) })
		})
		if i%directEvery == 0 {
			coming.Go(func() error {
				return timed(&s.direct, func() (bool, error) { return true, atSite(ctx, client, w.site, s.agents+i/directEvery) })
			})
		}
	}
	return coming.Wait()
}

// throughPortico logs an agent in, and reports whether there was a place for them.
func throughPortico(ctx context.Context, client *http.Client, door string, i int) (bool, error) {
	r := login(agentName(i))
	r.header["Accept-Language"] = languages[i%len(languages)]
	got, err := r.send(ctx, client, door)
	if err == nil && got.status != http.StatusOK && got.status != http.StatusServiceUnavailable {
		err = fmt.Errorf("log %s in: %d %.300s", agentName(i), got.status, got.body)
	}
	return got.status == http.StatusOK, err
}

// atSite makes the calls at the contact centre that Portico's caller waits for, one after the other.
func atSite(ctx context.Context, client *http.Client, site string, i int) error {
	r := siteLogin(agentName(i))
	r.header["Accept-Language"] = languages[i%len(languages)]
	got, err := r.must(ctx, client, site, http.StatusCreated)
	if err != nil {
		return err
	}
	session, err := siteSessionOf(agentName(i), got)
	if err != nil {
		return err
	}
	for _, path := range []string{pathStatus, "/activations/users/{user}", "/status/status-messages-user-access/{user}"} {
		_, err = session.request("GET", path, "").must(ctx, client, site, http.StatusOK)
		if err != nil {
			return err
		}
	}
	return nil
}

// queued returns how long log-ins waited for their turn on average.
func (w *world) queued(ctx context.Context) (time.Duration, error) {
	const family, site = `portico_login_wait_duration_seconds`, `{site="pureconnect"}`
	sum, err := w.metric(ctx, family+"_sum"+site)
	if err != nil {
		return 0, err
	}
	count, err := w.metric(ctx, family+"_count"+site)
	return time.Duration(sum / max(count, 1) * float64(time.Second)), err
}

// metric returns the value of one of Portico's metrics, named with its labels.
func (w *world) metric(ctx context.Context, name string) (float64, error) {
	got, err := request{method: "GET", path: "/metrics"}.must(ctx, caller, w.admin, http.StatusOK)
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(got.body), "\n"+name+" ")
	value, _, _ := strings.Cut(after, "\n")
	return strconv.ParseFloat(value, 64)
}
