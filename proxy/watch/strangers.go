package watch

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
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
		first, others := r.suspects()
		said := r.look(ctx, conn, first)
		if len(others) > 0 && said[first[0]] == nil {
			maps.Copy(said, r.look(ctx, conn, others))
		}
		r.judge(slices.Concat(first, others), said)
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

// suspects returns those whose bars have ended. While nobody is subscribed to, as when the service user has lost its
// right to see anybody, it returns all who are barred: one who is to be asked about first, and the others, of whom
// nothing is to be asked unless that one is known.
func (r *roster) suspects() (first, others []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.flows {
		return nil, nil
	}
	seesNobody := len(r.standing) == 0
	var ids []string
	for id, bar := range r.barred {
		if seesNobody || !time.Now().Before(bar.until) {
			ids = append(ids, id)
		}
	}
	if !seesNobody || len(ids) == 0 {
		return ids, nil
	}
	one := rand.IntN(len(ids)) // since each may be unknown for good
	ids[0], ids[one] = ids[one], ids[0]
	return ids[:1], ids[1:]
}

// judge lets go of those whom the site knows by now, and bars the others for longer: also those of whom it was not
// asked, or could not say, whether it does. Who has left is not barred anew.
func (r *roster) judge(ids []string, said map[string]error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	for _, id := range ids {
		bar, isBarred := r.barred[id]
		if !isBarred {
			continue
		}
		if err, isAsked := said[id]; isAsked && err == nil {
			delete(r.barred, id)
			r.announce()
			continue
		}
		bar.lasts = min(2*bar.lasts, longestBar)
		bar.until = now.Add(bar.lasts)
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
