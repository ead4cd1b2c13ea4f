// Package store keeps in Valkey or Redis what replicas share: sessions, the leases of who reads
// their upstream sessions, notifications, catalogues, counts of refused log-ins and the pace of all. The
// interfaces, with implementations for one process, are those of the rooms session, push, cache and
// throttle; one suite of tests holds both to them.
//
// README.md beside this file says how it is laid out there, and what works over several replicas.
package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"portico/cache"
	"portico/proxy/logs"
	"portico/proxy/push"
	"portico/proxy/session"
	"portico/proxy/throttle"
)

// Settings are what a Valkey needs. User, Password and TLS are optional.
type Settings struct {
	Addresses []string // host:port; of a cluster some of its nodes
	Cluster   bool
	User      string // of the server's access list
	Password  string
	TLS       *tls.Config   // nil: unencrypted
	Timeout   time.Duration // of one operation, retries included
	Keys      [][]byte      // 32 bytes each: the first seals, all open
	Metrics   *session.Metrics
	Log       *slog.Logger // nil: none
}

// Valkey is the shared store. Any number of goroutines may call its methods. While its last probe
// failed every operation fails at once, with ErrDown.
type Valkey struct {
	client  redis.UniversalClient
	dialing *dialing
	seal    *sealer
	bell    *bell
	ears    ears
	me      string // among the servers that share the journal
	cluster bool
	timeout time.Duration
	metrics *session.Metrics
	down    atomic.Pointer[error] // what operations fail with while the last probe failed
	outage  logs.Outage           // Run's
	counted counted               // by the server at the last probe; Run's
	deaf    time.Time             // when it was said last that the server does not let the replica listen, zero while it does; Run's
	losses  atomic.Int64          // how often it had lost what was written to it
	ahead   atomic.Int64          // milliseconds by which the server's clock is set forward; 0 but in tests
}

// ErrDown is what operations fail with while the store is known to be away, with why the probe failed in
// its text, for the log.
var ErrDown = errors.New("store: the last probe failed")

// New returns a store. It starts nothing and connects to nobody: Run does, and the first operation. It
// fails if there is no key, or one is not 32 bytes long.
func New(s Settings) (*Valkey, error) {
	seal, err := newSealer(s.Keys)
	if err != nil {
		return nil, err
	}
	dialing := newDialing(s)
	client := redis.NewUniversalClient(&redis.UniversalOptions{
		Addrs: s.Addresses, IsClusterMode: s.Cluster, Username: s.User, Password: s.Password, TLSConfig: s.TLS, Dialer: dialing.open,
		DialTimeout: s.Timeout, ReadTimeout: s.Timeout, WriteTimeout: s.Timeout, PoolTimeout: s.Timeout, ContextTimeoutEnabled: true,
		PoolSize:                 10*runtime.GOMAXPROCS(0) + push.RenewAtOnce, // the library's own, and for renewals, which may be slow
		DisableIdentity:          true,                                        // the user may lack the right to say who it is
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	v := &Valkey{client: client, dialing: dialing, seal: seal, me: rand.Text(), cluster: s.Cluster, timeout: s.Timeout, metrics: s.Metrics,
		outage: logs.Outage{Log: s.Log, What: "the session store"}}
	if s.Log == nil {
		v.outage.Log = slog.New(slog.DiscardHandler)
	}
	v.bell = newBell(v)
	return v, nil
}

// Close ends the connections. Operations fail from then on.
func (v *Valkey) Close() error { return errors.Join(v.bell.ear.close(), v.client.Close()) }

// Up reports whether the last probe passed. Before the first one it is taken to have.
func (v *Valkey) Up() bool { return v.down.Load() == nil }

// Losses returns how often the server was found without what had been written to it. Whoever keeps in mind what
// stands there is to start from nothing when that grows.
func (v *Valkey) Losses() int64 { return v.losses.Load() }

// ProofKeys returns the keys for proofs of names and passwords, which are the same at all replicas: one
// for each key of the settings, in their order.
func (v *Valkey) ProofKeys() []session.Key { return v.seal.proofs }

// Sessions returns the store of sessions.
func (v *Valkey) Sessions() session.Store { return sessions{v} }

// Leases returns the leases.
func (v *Valkey) Leases() session.Leases { return leases{v} }

// Bell returns what replicas tell each other by that an agent's state is changed.
func (v *Valkey) Bell() session.Bell { return v.bell }

// Shelf returns where replicas keep catalogues for each other.
func (v *Valkey) Shelf() cache.Shelf { return shelf{v} }

// Tries returns the store of refused log-ins.
func (v *Valkey) Tries() throttle.Store { return tries{v} }

// Journal returns what servers of notifications share.
func (v *Valkey) Journal() push.Journal { return journal{v} }

// Pace returns the pace of what all replicas begin.
func (v *Valkey) Pace() throttle.Pace { return pace{v} }

// probeEvery is how often the store is asked whether it takes writes.
const probeEvery = time.Second

// Run probes the store until ctx ends.
func (v *Valkey) Run(ctx context.Context) error {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		is, err := v.probe(ctx)
		if ctx.Err() != nil {
			return nil
		}
		v.outage.Note(err)
		if err == nil {
			v.count(is)
			v.hears(v.ears.deaf())
		}
		v.note(err)
		v.metrics.SetUp(err == nil)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// deafSaidEvery is how often the log says that the server does not let the replica listen.
const deafSaidEvery = 10 * time.Minute

// hears notes why a server that answers does not let the replica listen, nil if it does. Operations go on, but what
// other replicas changed is shown late.
func (v *Valkey) hears(deaf error) {
	switch {
	case deaf == nil && !v.deaf.IsZero():
		v.deaf = time.Time{}
		v.outage.Log.Info("the session store lets this replica listen to the others again")
	case deaf != nil && time.Since(v.deaf) >= deafSaidEvery:
		v.deaf = time.Now()
		v.outage.Log.Error("the session store does not let this replica listen to the others: its user must be allowed the channels portico:*", "cause", deaf.Error())
	}
	v.metrics.SetHears(deaf == nil)
}

// note has operations fail at once, or not, as the last probe did.
func (v *Valkey) note(cause error) {
	if cause == nil {
		v.down.Store(nil)
		return
	}
	// The cause is no error of the operations that fail for it: they had no time-out, say.
	down := fmt.Errorf("%w: %v", ErrDown, cause)
	v.down.Store(&down)
}

// do makes one operation within its time, counts it, and says in its error what was tried. Leases and
// counts are counted as what they come to: to look is a get, to take or count a put, to release a delete.
func (v *Valkey) do(ctx context.Context, kind, what string, f func(context.Context) error) error {
	began := time.Now()
	var err error
	if down := v.down.Load(); down != nil {
		err = *down
	} else {
		ctx, cancel := context.WithTimeout(ctx, v.timeout)
		err = f(ctx)
		cancel()
	}
	if isAnswer(err) {
		v.metrics.Ended(kind, began, nil)
		return err
	}
	v.metrics.Ended(kind, began, err)
	if err != nil {
		return fmt.Errorf("store: %s: %w", what, err)
	}
	return err
}

// isAnswer reports whether an error is an answer of the store.
func isAnswer(err error) bool {
	return errors.Is(err, session.ErrNotFound) || errors.Is(err, push.ErrUnknown) || errors.Is(err, push.ErrFull)
}

// run runs a script on one key and returns what it answered.
func (v *Valkey) run(ctx context.Context, script *redis.Script, key string, args ...any) *redis.Cmd {
	return v.on(ctx, script, []string{key}, args...)
}

// on is run on several keys, which must be on one node.
func (v *Valkey) on(ctx context.Context, script *redis.Script, keys []string, args ...any) *redis.Cmd {
	return script.Run(ctx, v.client, keys, append([]any{v.ahead.Load()}, args...)...)
}

// clock begins every script that knows time, which is the server's alone: clocks of replicas differ. It
// is in milliseconds. Its first argument sets it forward, for tests.
const clock = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[1]
`

// lateness is how long a record is kept beyond its life, so that somebody can close what it left at the
// sites.
const lateness = 10 * time.Minute

// nameOf returns the name under which the store knows a session id, login name or the like: it cannot be
// turned back into an id.
func nameOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// silent has the library keep to itself what its callers are told in errors.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

func init() { redis.SetLogger(silent{}) }
