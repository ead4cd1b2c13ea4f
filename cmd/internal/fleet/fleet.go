// Package fleet starts several replicas of Portico that share a store, a load balancer in front of them
// and the contact centres behind, and agents with applications, all as processes of their own on free
// ports. Its tests, which make test-fleet runs, hold what proxy/store/README.md says of such a fleet.
package fleet

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"portico/cmd/internal/bench"
)

// Settings say what a fleet is made of.
type Settings struct {
	Program   string     // the Portico binary
	Balancer  string     // HAProxy's settings, which name replicas by PORTICO_A and so on; "" for no balancer
	Replicas  int        // at most 3
	Sticky    bool       // the balancer sends a session to one replica as long as it is there
	InMemory  bool       // each replica keeps its sessions itself, and there is no store
	Variables [][]string // of the environment of each replica
	// StoreTimeout is how long one call of the store may take. Default: 1 s, as Portico's.
	StoreTimeout time.Duration
	// Cable, if given, returns an address that leads to the store's in its place.
	Cable  func(store string) (string, error)
	Stderr io.Writer // gets what processes complain of, and warnings of replicas
}

// A Fleet is all of it. One goroutine uses it, but for the fields that tell where something is.
type Fleet struct {
	ICWS, HTCC string // host:port of the simulators
	Door       string // host:port of the load balancer
	Store      *Store // nil where sessions are in memory
	Replicas   []*Replica

	settings   Settings
	network    string // its loopback addresses begin with it
	ctx        context.Context
	cancel     context.CancelFunc
	folder     string
	simulators []*bench.Process
	balancer   *bench.Process
}

// fleets counts those of this process: none has an address of another's.
var fleets atomic.Int32

// Open starts a fleet, and returns once each replica is ready. The caller calls Close.
func Open(ctx context.Context, s Settings) (*Fleet, error) {
	ctx, cancel := context.WithCancel(ctx)
	f := &Fleet{settings: s, network: fmt.Sprintf("127.%d.0.", 100+fleets.Add(1)%100), ctx: ctx, cancel: cancel}
	err := f.open()
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (f *Fleet) open() error {
	var err error
	f.folder, err = os.MkdirTemp("", "fleet")
	if err != nil {
		return err
	}
	for kind, host := range map[string]*string{"icws": &f.ICWS, "htcc": &f.HTCC} {
		var p *bench.Process
		p, *host, err = bench.Simulator(f.ctx, f.settings.Program, kind, f.settings.Stderr)
		if p != nil {
			f.simulators = append(f.simulators, p)
		}
		if err != nil {
			return err
		}
	}
	if !f.settings.InMemory {
		f.Store = &Store{ctx: f.ctx, folder: f.folder, stderr: f.settings.Stderr}
		err = f.Store.open(f.network + "10")
		if err != nil {
			return err
		}
	}
	return f.openPortico()
}

func (f *Fleet) openPortico() error {
	for i := range f.settings.Replicas {
		r, err := f.newReplica(i)
		if err != nil {
			return err
		}
		f.Replicas = append(f.Replicas, r)
		err = r.Start()
		if err != nil {
			return err
		}
	}
	if f.settings.Balancer == "" {
		return nil
	}
	return f.openBalancer()
}

// Close ends all of it, replicas first and at once, and waits until it has ended.
func (f *Fleet) Close() {
	for _, r := range f.Replicas {
		_ = r.Kill() // it may not have started
	}
	f.cancel()
	if f.Store != nil {
		f.Store.wait()
	}
	for _, p := range append(f.simulators, f.balancer) {
		if p != nil {
			_ = p.Wait() // it was told to
		}
	}
	_ = os.RemoveAll(f.folder)
}

// write writes a file into the fleet's folder and returns its path.
func (f *Fleet) write(name, text string) (string, error) {
	path := filepath.Join(f.folder, name)
	return path, os.WriteFile(path, []byte(text), 0o600)
}

// Agent returns the login name, which is the password too, of one of PureConnect's agents, from 1 on.
func Agent(i int) string {
	digits := strconv.Itoa(10000 + i)
	return "agent" + digits[1:]
}
