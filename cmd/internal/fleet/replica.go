package fleet

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"

	"portico/cmd/internal/bench"
)

// A Replica is one Portico of a fleet. It has a loopback address of its own: ports of the usual one are
// given to whoever connects to somebody, and would be taken when it comes back.
type Replica struct {
	Door, Admin string // host:port of its listeners, the same again after a restart

	fleet     *Fleet
	variables []string // of its environment
	file      string   // its settings
	process   *bench.Process
}

const settings = `listen: %q
admin: %q
trusted_proxies: [127.0.0.0/8]
sites:
  pureconnect:
    kind: icws
    urls: ["http://%s"]
    channels:
      voice: {workgroups: [Sales, Support]}
      email: {workgroups: [Mail]}
    logins: {per_second: 1000}
  cloud: {kind: htcc, urls: ["http://%s"]}
routes:
  - {match: "agent*", sites: [pureconnect]}
  - {match: bjorn, sites: [cloud]}
  - {match: cleo, sites: [pureconnect, cloud], channels: {voice: pureconnect, chat: cloud, email: cloud}}
drain_delay: 2s
%s`

// storeKey seals what the replicas share, and opens nothing but that.
var storeKey = strings.Repeat("A", 43) + "="

func (f *Fleet) newReplica(i int) (*Replica, error) {
	r := &Replica{fleet: f}
	if i < len(f.settings.Variables) {
		r.variables = f.settings.Variables[i]
	}
	host := f.network + strconv.Itoa(11+i)
	var err, second error
	r.Door, err = freeAddress(host)
	r.Admin, second = freeAddress(host)
	if err = errors.Join(err, second); err != nil {
		return nil, err
	}
	shared := ""
	if f.Store != nil {
		shared, err = f.shared()
	}
	if err != nil {
		return nil, err
	}
	r.file, err = f.write(fmt.Sprintf("portico-%d.yaml", i), fmt.Sprintf(settings, r.Door, r.Admin, f.ICWS, f.HTCC, shared))
	return r, err
}

// shared returns the settings that have a replica share its sessions.
func (f *Fleet) shared() (string, error) {
	address := f.Store.Address
	var err error
	if f.settings.Cable != nil {
		address, err = f.settings.Cable(address)
	}
	if err != nil {
		return "", err
	}
	keys, err := f.write("keys", storeKey)
	return fmt.Sprintf("store: {kind: valkey, urls: [\"valkey://%s\"], key_file: %s, timeout: %v}\n", address, keys, cmp.Or(f.settings.StoreTimeout, time.Second)), err
}

// Start starts it, and returns once it serves.
func (r *Replica) Start() error {
	s := r.fleet.settings
	p, err := bench.Start(r.fleet.ctx, s.Stderr, r.variables, s.Program, "serve", "--config", r.file)
	if err != nil {
		return err
	}
	r.process, p.Rest = p, &warnings{to: s.Stderr}
	_, err = p.Find(`("msg":"serving")`)
	return err
}

// Stop has it drain and stop, and returns once it has ended.
func (r *Replica) Stop() error { return r.end(syscall.SIGTERM) }

// Kill ends it at once.
func (r *Replica) Kill() error { return r.end(syscall.SIGKILL) }

func (r *Replica) end(s syscall.Signal) error {
	if r.process == nil {
		return nil
	}
	err := r.process.Signal(s)
	if err == nil {
		r.wait()
	}
	return err
}

func (r *Replica) wait() {
	if r.process != nil {
		_ = r.process.Wait() // it was told to
		r.process = nil
	}
}

// freeAddress returns an address at a loopback host that nobody listens at.
func freeAddress(host string) (string, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
