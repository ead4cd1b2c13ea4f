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
// them keeps all others from being watched.
func (r *roster) strangers(ctx context.Context, conn icws.Conn, suspects []string) map[string]bool {
	unknown := map[string]bool{}
	for id, err := range r.look(ctx, conn, suspects) {
		if isRefused(err) {
			unknown[id] = true
			r.bar(id, err)
		}
	}
	return unknown
}

// look asks the site about agents, and returns what it says of each: nil of those whom it knows.
func (r *roster) look(ctx context.Context, conn icws.Conn, ids []string) map[string]error {
	said := map[string]error{}
	var mu sync.Mutex // guards said
	var work errgroup.Group
	work.SetLimit(atOnce)
	for _, id := range ids {
		work.Go(func() error {
			_, err := r.site.ICWS.UserStatus(ctx, conn, id)
			mu.Lock()
			defer mu.Unlock()
			said[id] = err
			return nil
		})
	}
	_ = work.Wait()
	return said
}

// bar bars an agent whom the site refuses, unless they have left.
func (r *roster) bar(id string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.watched[id] == nil {
		return
	}
	r.site.Log.Warn("an agent cannot be watched by the service user", "site", r.site.Name, "cause", err.Error())
	r.barred[id] = bar{until: time.Now().Add(shortestBar), lasts: shortestBar}
	delete(r.standing, id)
	note(r.bars)
}

// askAgain asks about those who are barred as their bars end, until ctx ends.
func (r *roster) askAgain(ctx context.Context, conn icws.Conn) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.bars:
			continue // with another bar that may be the first to end
		case <-r.nextTry():
		}
		err := r.gather(ctx)
		if err != nil {
			return
		}
		r.judge(r.look(ctx, conn, r.suspects()))
	}
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

// suspects returns those whose bars have ended.
func (r *roster) suspects() (ids []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, bar := range r.barred {
		if r.flows && !time.Now().Before(bar.until) {
			ids = append(ids, id)
		}
	}
	return ids
}

// judge lets go of those whom the site knows by now, and bars the others for longer: also those of whom it could not
// say whether it does. Who has left is not barred anew.
func (r *roster) judge(said map[string]error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, err := range said {
		bar, isBarred := r.barred[id]
		if !isBarred {
			continue
		}
		if err == nil {
			delete(r.barred, id)
			r.announce()
			continue
		}
		bar.lasts = min(2*bar.lasts, longestBar)
		bar.until = time.Now().Add(bar.lasts)
		r.barred[id] = bar
	}
}

// isRefused reports an error that a user may be the cause of whom the site does not know, or does not show.
func isRefused(err error) bool {
	return errors.Is(err, fault.NotFound) || errors.Is(err, fault.Forbidden) || errors.Is(err, fault.Invalid)
}

func without(ids []string, some map[string]bool) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return some[id] })
}
