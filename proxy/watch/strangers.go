package watch

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"portico/proxy/fault"
	"portico/proxy/icws"
)

// How long the site is not asked again about who is unknown to it, or not shown to the service user: twice as long each
// time, since most of them stay so, and of the others nothing is told meanwhile.
const (
	shortestBar = 5 * time.Second
	longestBar  = 5 * time.Minute
)

// A bar keeps an agent out of the subscriptions.
type bar struct {
	until time.Time
	lasts time.Duration
}

// strangers returns which agents the site does not know, or does not show to the service user, and bars them: one of
// them keeps all others from being watched. The others are barred no more.
func (r *roster) strangers(ctx context.Context, conn icws.Conn, suspects []string) map[string]bool {
	refused := map[string]error{}
	var mu sync.Mutex // guards refused
	var work errgroup.Group
	work.SetLimit(atOnce)
	for _, id := range suspects {
		work.Go(func() error {
			_, err := r.site.ICWS.UserStatus(ctx, conn, id)
			if isRefused(err) {
				mu.Lock()
				defer mu.Unlock()
				refused[id] = err
			}
			return nil
		})
	}
	_ = work.Wait()
	unknown := map[string]bool{}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range suspects {
		err := refused[id]
		if err == nil {
			delete(r.barred, id)
			continue
		}
		unknown[id] = true
		r.barLocked(id, err)
	}
	return unknown
}

// barLocked bars an agent whom the site refuses, unless they have left.
func (r *roster) barLocked(id string, err error) {
	if r.watched[id] == nil {
		return
	}
	before, again := r.barred[id]
	if !again {
		r.site.Log.Warn("an agent cannot be watched by the service user", "site", r.site.Name, "cause", err.Error())
	}
	lasts := min(max(2*before.lasts, shortestBar), longestBar)
	r.barred[id] = bar{until: time.Now().Add(lasts), lasts: lasts}
	delete(r.standing, id)
	r.announce() // so that follow knows when the bar ends
}

// nextTry returns what tells that the first bar has ended, nil if there is none, or nothing comes: then all are
// subscribed to anew once it does.
func (r *roster) nextTry() <-chan time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.flows || len(r.barred) == 0 {
		return nil
	}
	bars := slices.Collect(maps.Values(r.barred))
	first := slices.MinFunc(bars, func(a, b bar) int { return a.until.Compare(b.until) })
	return time.After(time.Until(first.until))
}

// isRefused reports an error that a user may be the cause of whom the site does not know, or does not show.
func isRefused(err error) bool {
	return errors.Is(err, fault.NotFound) || errors.Is(err, fault.Forbidden) || errors.Is(err, fault.Invalid)
}

func without(ids []string, some map[string]bool) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return some[id] })
}
