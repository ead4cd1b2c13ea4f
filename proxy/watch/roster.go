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
	"portico/translate/icwsapi"
)

// A roster is the agents that a service watches, and which of them are subscribed to. ICWS takes the
// users of a subscription as one list, which the next replaces, and answers each with a snapshot of
// all: so agents who come and go are gathered for a while. Any number of goroutines may use it.
//
// Source: ICWS reference, user-statuses subscription; ICWS, Getting started: Messaging (isDelta).
type roster struct {
	site Site
	news chan struct{} // has room for one: agents have come or gone

	putting chan struct{} // has room for one: one puts subscriptions at a time

	mu       sync.Mutex
	watched  map[string]map[Agent]bool // by folded user id; guarded by mu
	standing map[string]bool           // who is subscribed to, or about to be; guarded by mu
	barred   map[string]bool           // whom the site does not know; guarded by mu
	statuses partial                   // guarded by mu
	access   partial                   // guarded by mu
}

func newRoster(at Site) *roster {
	return &roster{site: at, news: make(chan struct{}, 1), putting: make(chan struct{}, 1), watched: map[string]map[Agent]bool{},
		standing: map[string]bool{}, barred: map[string]bool{}}
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
		r.announce()
	}
}

func (r *roster) announce() {
	select {
	case r.news <- struct{}{}:
	default:
	}
}

// How long agents who come and go are gathered before they are subscribed to: longer where the
// snapshot that each subscription brings is.
const (
	leastGathering = 50 * time.Millisecond
	gatheringEach  = 500 * time.Microsecond // agent who is watched already
)

// follow subscribes to agents as they come and go, until ctx ends.
func (r *roster) follow(ctx context.Context, conn icws.Conn) {
	ctx = upstream.WithCause(ctx, upstream.Stream)
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.news:
		}
		err := upstream.Sleep(ctx, leastGathering+time.Duration(r.size())*gatheringEach)
		if err != nil {
			return
		}
		err = r.subscribe(ctx, conn)
		if err == nil || ctx.Err() != nil {
			continue
		}
		r.site.Log.Warn("agents could not be subscribed to", "site", r.site.Name, "cause", err.Error())
		err = upstream.Sleep(ctx, upstream.Pause(1))
		if err != nil {
			return
		}
		r.announce()
	}
}

func (r *roster) size() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.watched)
}

// broken notes that nothing is told any more.
func (r *roster) broken() {
	r.mu.Lock()
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
	r.standing = map[string]bool{}
	r.barred = map[string]bool{}
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
	all, due := r.due()
	fresh := due
	if len(all) == 0 || len(fresh) == 0 {
		return nil // without a list there is nothing to put, and of those who left nothing is shown
	}
	r.setLive(fresh, true)
	err := r.put(ctx, conn, all, fresh)
	if errors.Is(err, fault.NotFound) || errors.Is(err, fault.Invalid) {
		all, fresh = r.known(ctx, conn, all, fresh)
		err = nil
		if len(all) > 0 {
			err = r.put(ctx, conn, all, fresh)
		}
	}
	if err != nil {
		r.fall(due)
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

// due returns the ids of all agents to watch, sorted, and those of them that were not subscribed to, who stand from
// now on.
func (r *roster) due() (all, fresh []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id := range r.watched {
		if r.barred[id] {
			continue
		}
		all = append(all, id)
		if !r.standing[id] {
			fresh = append(fresh, id)
			r.standing[id] = true
		}
	}
	slices.Sort(all)
	slices.Sort(fresh)
	return all, fresh
}

// atOnce is how many subscriptions for activations are put side by side: there is one for each agent.
const atOnce = 8

// put puts the subscriptions. What an older site does not have is read when it is needed; the status
// must be told.
func (r *roster) put(ctx context.Context, conn icws.Conn, all, fresh []string) error {
	client := r.site.ICWS
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

// known takes from the lists those of the fresh agents whom the site does not know, or does not show to
// the service user: one of them keeps all others from being watched.
func (r *roster) known(ctx context.Context, conn icws.Conn, all, fresh []string) ([]string, []string) {
	unknown := map[string]bool{}
	for _, id := range fresh {
		_, err := r.site.ICWS.UserStatus(ctx, conn, id)
		if errors.Is(err, fault.NotFound) || errors.Is(err, fault.Forbidden) || errors.Is(err, fault.Invalid) {
			unknown[id] = true
			r.site.Log.Warn("an agent cannot be watched by the service user", "site", r.site.Name, "cause", err.Error())
		}
	}
	r.mu.Lock()
	for id := range unknown {
		r.barred[id] = true
	}
	r.mu.Unlock()
	is := func(id string) bool { return unknown[id] }
	for _, id := range fresh {
		if unknown[id] {
			r.setLive([]string{id}, false)
		}
	}
	return slices.DeleteFunc(slices.Clone(all), is), slices.DeleteFunc(slices.Clone(fresh), is)
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

// receive gives each agent what a message says of them, as if it were about nobody else.
func (r *roster) receive(message icwsapi.Message) {
	switch m := message.(type) {
	case icwsapi.UserStatusMessage:
		r.restart(&r.statuses, m.IsDelta)
		for _, status := range m.UserStatusList {
			whole := r.whole(&r.statuses, m.IsDelta, status.UserID)
			r.tell(status.UserID, icwsapi.UserStatusMessage{Head: icwsapi.Head{Type: m.Type, IsDelta: !whole}, UserStatusList: []icwsapi.UserStatus{status}})
		}
	case icwsapi.UserAccessMessage:
		r.restart(&r.access, m.IsDelta)
		for _, change := range m.StatusMessagesUserAccessChanges {
			whole := r.whole(&r.access, m.IsDelta, change.UserID)
			r.tell(change.UserID, icwsapi.UserAccessMessage{Head: icwsapi.Head{Type: m.Type, IsDelta: !whole},
				StatusMessagesUserAccessChanges: []icwsapi.UserAccessChange{change}})
		}
	case icwsapi.UserActivationMessage:
		r.tell(m.UserID, m)
	}
}

func (r *roster) tell(userID string, message icwsapi.Message) {
	for _, agent := range r.of(userID) {
		agent.Receive(message)
	}
}

// partial is who is still missing in a snapshot that comes in parts. A site splits one that is too long
// for a message: only the first part says that it replaces what was known. In the others, whoever has
// not been named yet is named whole.
type partial map[string]bool

// restart begins a snapshot, unless the message is a delta.
func (r *roster) restart(missing *partial, isDelta bool) {
	if isDelta {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	*missing = partial{}
	for id := range r.watched {
		(*missing)[id] = true
	}
}

// whole reports whether what a message says of an agent is all there is.
func (r *roster) whole(missing *partial, isDelta bool, userID string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := strings.ToLower(userID)
	first := (*missing)[id]
	delete(*missing, id)
	return first || !isDelta
}
