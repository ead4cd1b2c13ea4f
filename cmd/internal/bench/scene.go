// Package bench starts Portico and the contact centres behind it as processes of their own, for the
// programs that measure it: what one of them uses is then told apart from what the others do.
package bench

import (
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
)

// A Scene is Portico and the simulators it stands in front of, on free ports of 127.0.0.1.
type Scene struct {
	Portico, ICWS, HTCC *Process

	Door, Admin        string // host:port of Portico's listeners
	ICWSHost, HTCCHost string // host:port of the simulators

	cancel context.CancelFunc
	folder string
	front  *httptest.Server // of the PureConnect simulator; nil: it is called as it is
}

// Settings are lines of Portico's settings file besides those that `portico demo` has.
type Settings struct {
	Site  string // of the PureConnect site, indented by four spaces
	More  string
	HTTPS bool // is spoken to the PureConnect site
}

// Crowded has log-ins of thousands wait for nothing but the contact centre and the machine.
const Crowded = "    logins: {per_second: 5000, queue: 10000}\n"

// settings is Portico as `portico demo` sets it up, and what the caller wants otherwise.
const settings = `listen: "127.0.0.1:0"
admin: "127.0.0.1:0"
sites:
  pureconnect:
    kind: icws
    urls: [%q]
    channels:
      voice: {workgroups: [Sales, Support]}
      email: {workgroups: [Mail]}
%s  cloud: {kind: htcc, urls: ["http://%s"]}
routes:
  - {match: "agent*", sites: [pureconnect]}
  - {match: anna, sites: [pureconnect]}
  - {match: bjorn, sites: [cloud]}
  - {match: cleo, sites: [pureconnect, cloud], channels: {voice: pureconnect, chat: cloud, email: cloud}}
drain_delay: 0s
grace: 3s
%s`

// Open starts all three from the Portico binary. The caller calls Close.
func Open(ctx context.Context, program string, more Settings, stderr io.Writer) (*Scene, error) {
	ctx, cancel := context.WithCancel(ctx)
	s := &Scene{cancel: cancel}
	err := s.open(ctx, program, more, stderr)
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Scene) open(ctx context.Context, program string, more Settings, stderr io.Writer) error {
	var err error
	s.ICWS, s.ICWSHost, err = Simulator(ctx, program, "icws", stderr)
	if err != nil {
		return err
	}
	s.HTCC, s.HTCCHost, err = Simulator(ctx, program, "htcc", stderr)
	if err != nil {
		return err
	}
	s.folder, err = os.MkdirTemp("", "portico")
	if err != nil {
		return err
	}
	pureconnect := "http://" + s.ICWSHost
	if more.HTTPS {
		certificate := filepath.Join(s.folder, "site.crt")
		s.front, err = newFront(s.ICWSHost, certificate)
		if err != nil {
			return err
		}
		pureconnect = s.front.URL
		more.Site += fmt.Sprintf("    tls: {ca_file: %q}\n", certificate)
	}
	file := filepath.Join(s.folder, "portico.yaml")
	err = os.WriteFile(file, fmt.Appendf(nil, settings, pureconnect, more.Site, s.HTCCHost, more.More), 0o600)
	if err != nil {
		return err
	}
	s.Portico, err = Start(ctx, stderr, nil, program, "serve", "--config", file)
	if err != nil {
		return err
	}
	found, err := s.Portico.Find(`"msg":"serving","listen":"([^"]+)","admin":"([^"]+)"`)
	if err != nil {
		return err
	}
	s.Door, s.Admin = found[0], found[1]
	return nil
}

// roomy has simulators collect garbage seldom: contact centres have machines of their own.
var roomy = []string{"GOGC=1000"}

// Simulator starts the simulator of a kind of site on a free port of 127.0.0.1, and returns its host:port.
func Simulator(ctx context.Context, program, kind string, stderr io.Writer) (*Process, string, error) {
	p, err := Start(ctx, stderr, roomy, program, "simulate", kind, "--listen", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	found, err := p.Find(`^(?:ICWS|HTCC) simulator at (.+)$`)
	if err != nil {
		return p, "", err
	}
	return p, found[0], nil
}

// Close stops all of them and waits until they have ended.
func (s *Scene) Close() {
	s.cancel()
	for _, p := range []*Process{s.Portico, s.ICWS, s.HTCC} {
		if p != nil {
			_ = p.Wait() // they were told to
		}
	}
	if s.front != nil {
		s.front.Close()
	}
	_ = os.RemoveAll(s.folder)
}
