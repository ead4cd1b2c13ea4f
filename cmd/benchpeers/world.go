package main

import (
	"context"
	"fmt"
	"io"
	"slices"
)

// A mode is where processes run.
type mode struct {
	name string
	peer string // processors of what is measured; "" = any
	rest string // of wrk and the contact centre
}

// modes are those of a run. Pinned, a peer has one processor for itself.
var modes = []mode{{"pinned", "0", "1"}, {"unpinned", "", ""}}

// A world is everything that runs in one mode: the contact centre, Portico, peers, and agents who are
// logged in.
type world struct {
	*house
	mode  mode
	site  string // host:port of the contact centre
	door  string // of Portico
	admin string
	loop  string // where a crowd is answered as fast as can be
	// Agents of Portico, by their cookie, and others at the contact centre itself: what the peers are
	// made to write must not be told to Portico's.
	agents []string
	direct []siteSession
	peers  map[string][]*server // by name, with what belongs to each
	absent []string             // those that are not installed
}

// writers is how many agents change their state: so many that wrk seldom asks for two changes of one
// at once, which would wait for each other.
const writers = 256

// open starts a contact centre and Portico, with more lines for its settings. The caller calls Close,
// also after an error.
func (w *world) open(ctx context.Context, portico, more string) error {
	var err error
	w.site, err = freePort()
	if err != nil {
		return err
	}
	_, err = w.start(ctx, "simulator", w.mode.rest, w.site, portico, "simulate", "icws", "--listen", w.site, "--idle-timeout", "1h")
	if err != nil {
		return err
	}
	return w.openPortico(ctx, portico, more)
}

// porticoSettings has sessions, metrics and the access log on, as always.
const porticoSettings = `listen: %q
admin: %q
sites:
  pureconnect:
    kind: icws
    urls: ["http://%s"]
    channels:
      voice: {workgroups: [Sales, Support]}
      email: {workgroups: [Mail]}
    logins: {per_second: %d, queue: 5000}
routes:
  - {match: "agent*", sites: [pureconnect]}
drain_delay: 0s
grace: 3s
%s`

// loginsPerSecond is the pace of log-ins, far above the usual 50: it is not what is measured.
const loginsPerSecond = 10000

func (w *world) openPortico(ctx context.Context, portico, more string) error {
	var err error
	w.door, err = freePort()
	if err != nil {
		return err
	}
	w.admin, err = freePort()
	if err != nil {
		return err
	}
	file, err := w.file("portico.yaml", porticoSettings, w.door, w.admin, w.site, loginsPerSecond, more)
	if err != nil {
		return err
	}
	started, err := w.start(ctx, "portico", w.mode.peer, w.door, portico, "serve", "--config", file)
	w.peers = map[string][]*server{porticoName: {started}}
	return err
}

// logIn logs agents in, half of them through Portico.
func (w *world) logIn(ctx context.Context) error {
	for i := range writers {
		cookie, err := logIn(ctx, w.door, agentName(i))
		if err != nil {
			return err
		}
		w.agents = append(w.agents, cookie)
		session, err := logInAtSite(ctx, w.site, agentName(writers+i))
		if err != nil {
			return err
		}
		w.direct = append(w.direct, session)
	}
	return nil
}

// agentName returns the login name, and password, of an agent, from 0.
func agentName(i int) string { return fmt.Sprintf("agent%04d", i+1) }

// openPeers starts all peers that are installed.
func (w *world) openPeers(ctx context.Context, stderr io.Writer) error {
	program, err := w.build(ctx, stderr)
	if err != nil {
		return err
	}
	for _, p := range installed {
		if slices.ContainsFunc(p.commands, isMissing) {
			w.absent = append(w.absent, p.name)
			continue
		}
		w.peers[p.name], err = p.open(ctx, w)
		if err != nil {
			return err
		}
	}
	for _, p := range built {
		w.peers[p.name], err = w.openBuilt(ctx, program, p)
		if err != nil {
			return err
		}
	}
	return nil
}
