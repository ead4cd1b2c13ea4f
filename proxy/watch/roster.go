package watch

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"portico/proxy/fault"
	"portico/proxy/icws"
	"portico/proxy/upstream"
)

// A roster is the agents that a service watches, and which of them are subscribed to. ICWS takes the
// users of a subscription as one list, which the next replaces, and answers each with a snapshot of
// all: so agents who come and go are gathered for a while. Any number of goroutines may use it.
//
// Source: ICWS reference, user-statuses subscription; ICWS, Getting started: Messaging (isDelta).
type roster struct {
	site Site
	news chan struct{} // has room for one: agents have come or gone, or are barred no more
	bars chan struct{} // has room for one: agents are barred

	putting chan struct{} // has room for one: one puts subscriptions at a time

	mu       sync.Mutex
	watched  map[string]map[Agent]bool // by folded user id; guarded by mu
	standing map[string]bool           // who is subscribed to, or about to be; guarded by mu
	flows    bool                      // what the site pushes comes; guarded by mu
	barred   map[string]bar            // whom the site does not know, of those who are watched; guarded by mu
	statuses partial                   // guarded by mu
	access   partial                   // guarded by mu
}

func newRoster(at Site) *roster {
	return &roster{site: at, news: make(chan struct{}, 1), bars: make(chan struct{}, 1), putting: make(chan struct{}, 1),
		watched: map[string]map[Agent]bool{}, standing: map[string]bool{}, barred: map[string]bar{}}
}

func (r *roster) add(agent Agent, userID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := strings.ToLower(userID)
	if r.watched[key] == nil {
		r.watched[key] = map[Agent]bool{}
	}
	r.watched[key][agent] = true
	delete(r.standing, key) // also one of another session: this one has seen no snapshot
	r.announce()
}

func (r *roster) remove(agent Agent, userID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := strings.ToLower(userID)
	delete(r.watched[key], agent)
	if len(r.watched[key]) == 0 {
		delete(r.watched, key)
		delete(r.barred, key)
		delete(r.standing, key)
		r.announce()
	}
}

func (r *roster) announce() { note(r.news) }

// note tells who waits for news, at once or when they are back.
func note(news chan<- struct{}) {
	select {
	case news <- struct{}{}:
	default:
	}
}

// How long agents who come and go are gathered before they are subscribed to: longer where the
// snapshot that each subscription brings is.
const (
	leastGathering = 50 * time.Millisecond
	gatheringEach  = 500 * time.Microsecond // agent who is watched already
)

// follow subscribes to agents as they come and go, or are barred no more, until ctx ends.
func (r *roster) follow(ctx context.Context, conn icws.Conn) {
	ctx = upstream.WithCause(ctx, upstream.Stream)
	var aside sync.WaitGroup
	defer aside.Wait()
	aside.Go(func() { r.askAgain(ctx, conn) }) // who comes does not wait for the answers
	for failures := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-r.news:
		}
		err := r.gather(ctx)
		if err != nil {
			return
		}
		if !r.isFlowing() {
			continue // all are subscribed to when it is
		}
		err = r.subscribe(ctx, conn)
		if err == nil || ctx.Err() != nil {
			failures = 0
			continue
		}
		r.site.Log.Warn("agents could not be subscribed to", "site", r.site.Name, "cause", err.Error())
		failures++
		err = upstream.Sleep(ctx, upstream.Pause(failures))
		if err != nil {
			return
		}
		r.announce()
	}
}

// gather lets others come, or their bars end.
func (r *roster) gather(ctx context.Context) error {
	r.mu.Lock()
	size := len(r.watched)
	r.mu.Unlock()
	return upstream.Sleep(ctx, leastGathering+time.Duration(size)*gatheringEach)
}

func (r *roster) isFlowing() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.flows
}

// broken notes that nothing is told any more.
func (r *roster) broken() {
	r.mu.Lock()
	r.flows = false
	r.standing = map[string]bool{}
	r.statuses, r.access = nil, nil
	var agents []Agent
	for _, of := range r.watched {
		agents = slices.AppendSeq(agents, maps.Keys(of))
	}
	r.mu.Unlock()
	for _, agent := range agents {
		agent.SetLive(false)
	}
}

// subscribeAll puts the subscriptions of a session that has none yet.
func (r *roster) subscribeAll(ctx context.Context, conn icws.Conn) error {
	r.mu.Lock()
	r.flows = true
	r.standing = map[string]bool{}
	r.barred = map[string]bar{}
	r.mu.Unlock()
	return r.subscribe(ctx, conn)
}

// subscribe puts the lists of all agents, if there are others than before. Each is live from before
// the calls, since the snapshots may come before their answers do. Who stands no more by then is put again.
func (r *roster) subscribe(ctx context.Context, conn icws.Conn) error {
	select {
	case r.putting <- struct{}{}:
		defer func() { <-r.putting }()
	case <-ctx.Done():
		return ctx.Err()
	}
	others, arrived := r.due()
	if len(arrived) == 0 {
		return nil // of those who left nothing is shown
	}
	r.setLive(arrived, true)
	err := r.put(ctx, conn, others, arrived)
	fresh := arrived
	for _, suspects := range []*[]string{&fresh, &others} { // who has stood so far may be unknown to the site by now
		if !isRefused(err) {
			break
		}
		unknown := r.strangers(ctx, conn, *suspects)
		if len(unknown) == 0 {
			continue
		}
		r.setLive(slices.Collect(maps.Keys(unknown)), false)
		*suspects, err = without(*suspects, unknown), nil
		if len(others)+len(fresh) > 0 {
			err = r.put(ctx, conn, others, fresh)
		}
	}
	if err != nil {
		r.fall(arrived)
	}
	return err
}

// fall notes that agents are not subscribed to.
func (r *roster) fall(ids []string) {
	r.mu.Lock()
	for _, id := range ids {
		delete(r.standing, id)
	}
	r.mu.Unlock()
	r.setLive(ids, false)
}

// due returns the ids of the agents who are subscribed to, and of those who are to be, who stand from now on. A list
// with one who is barred would be refused.
func (r *roster) due() (others, arrived []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id := range r.watched {
		_, isBarred := r.barred[id]
		switch {
		case isBarred:
			continue
		case r.standing[id]:
			others = append(others, id)
		default:
			arrived = append(arrived, id)
		}
		r.standing[id] = true
	}
	return others, arrived
}

// atOnce is how many subscriptions for activations are put side by side: there is one for each agent.
const atOnce = 8

// put puts the subscriptions. What an older site does not have is read when it is needed; the status
// must be told.
func (r *roster) put(ctx context.Context, conn icws.Conn, others, fresh []string) error {
	client, all := r.site.ICWS, slices.Sorted(slices.Values(slices.Concat(others, fresh)))
	err := client.SubscribeUserStatuses(ctx, conn, all)
	if err != nil {
		return err
	}
	err = r.tolerant(client.SubscribeUserAccess(ctx, conn, all))
	if err != nil || !r.site.Activations {
		return err
	}
	var work errgroup.Group
	work.SetLimit(atOnce)
	for _, id := range fresh {
		work.Go(func() error { return r.tolerant(client.SubscribeActivations(ctx, conn, "portico-"+id, id)) })
	}
	return work.Wait()
}

// tolerant logs a refusal that can be done with.
func (r *roster) tolerant(err error) error {
	if errors.Is(err, fault.NotFound) || errors.Is(err, fault.Gone) || errors.Is(err, fault.Forbidden) {
		r.site.Log.Warn("the site refuses a subscription", "site", r.site.Name, "cause", err.Error())
		return nil
	}
	return err
}

// setLive tells agents whether messages about them come.
func (r *roster) setLive(ids []string, live bool) {
	for _, id := range ids {
		for _, agent := range r.of(id) {
			agent.SetLive(live)
		}
	}
}

// of returns those who are one user of the site: one for each session.
func (r *roster) of(userID string) []Agent {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.watched[strings.ToLower(userID)]))
}
