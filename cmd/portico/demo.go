package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"portico/config"
	"portico/proxy/icws/icwssim"
)

//go:embed demo.yaml
var demoSettings string

// demo runs Portico with simulated contact centres, needs nothing else, and stops cleanly.
func demo(ctx context.Context, p process, args []string) error {
	set := p.flags("demo")
	door := set.String("listen", "", "`address` of Portico, default 127.0.0.1:8080; port 0 is any free one")
	admin := set.String("admin", "", "`address` of Portico's admin listener, default 127.0.0.1:9180")
	upstream := set.String("icws", "127.0.0.1:8018", "`address` of the ICWS simulator")
	inJSON := set.Bool("json", false, "print the addresses as one line of JSON, once everything answers")
	over := set.String("config", "", "settings `file` laid over the demo's own")
	err := parse(set, args, 0)
	if err != nil {
		return err
	}
	sim := &icwssim.Server{}
	simulators, err := simulators(sim, *upstream, "", p)
	if err != nil {
		return fmt.Errorf("%w; --icws moves it", err)
	}
	defer sim.Close()
	cfg, err := demoConfig(*over, simulators[0].address(), p.environ)
	var portico *running
	if err == nil {
		move(cfg, *door, *admin)
		portico, err = open(cfg, logger(p.stderr, cfg.Log.Level))
	}
	if err != nil {
		return errors.Join(err, simulators[0].listener.Close())
	}
	parts, ctx := errgroup.WithContext(ctx)
	// The simulator outlives Portico, which logs its agents off when it stops.
	simulated, stopSimulated := context.WithCancel(context.WithoutCancel(ctx))
	parts.Go(func() error { return serveSimulator(simulated, sim, simulators) })
	parts.Go(func() error {
		defer stopSimulated()
		return portico.run(ctx)
	})
	parts.Go(func() error { return p.announce(ctx, portico, simulators[0].address(), *inJSON) })
	return parts.Wait()
}

// demoConfig returns the demo's settings with those of a file laid over them.
func demoConfig(over, simulator string, environ []string) (*config.Config, error) {
	base := config.Document{Name: "demo", Data: fmt.Appendf(nil, demoSettings, simulator)}
	if over == "" {
		return config.ParseOver(base, config.Document{Name: "none", Data: []byte("{}")}, environ)
	}
	data, err := os.ReadFile(over)
	if err != nil {
		return nil, err
	}
	return config.ParseOver(base, config.Document{Name: over, Data: data}, environ)
}

// move takes addresses from the flags that were given. A public URL that only followed from the
// address follows from the new one.
func move(cfg *config.Config, door, admin string) {
	if door != "" {
		if cfg.PublicURL == config.PublicURLAt(cfg.Listen) {
			cfg.PublicURL = ""
		}
		cfg.Listen = door
	}
	if admin != "" {
		cfg.Admin = admin
	}
}

// addresses is the line that demo prints for programs.
type addresses struct {
	Portico string `json:"portico"`
	Admin   string `json:"admin"`
	ICWS    string `json:"icws"`
}

// announce waits until everything answers and says where.
func (p process) announce(ctx context.Context, r *running, simulator string, inJSON bool) error {
	err := answers(ctx, "http://"+r.admin.address()+"/readyz")
	if err != nil {
		return err
	}
	at := addresses{Portico: r.door.address(), Admin: r.admin.address(), ICWS: simulator}
	if inJSON {
		return json.NewEncoder(p.stdout).Encode(at)
	}
	_, err = fmt.Fprintf(p.stdout, demoText, at.Portico, at.Admin, at.ICWS, at.Portico, at.Portico, at.Portico, at.Portico, at.ICWS)
	return err
}

const demoText = `Portico answers at http://%s, its operators' door at http://%s, the ICWS simulator at http://%s.

  curl -u anna:anna 'http://%s/me?subresources=*'
  curl -u anna:anna -d '{"operationName":"Ready"}' http://%s/me
  curl -u anna:anna -d '{"operationName":"Ready"}' http://%s/api/v2/me
  curl -u anna:anna http://%s/settings/agent-states
  curl 'http://%s/_sim/state?user=anna'        what the contact centre holds

Agents: anna, and agent0001 to agent9999; the password is the name. Ctrl-C stops.
`

// Waiting for the demo to answer.
const (
	answersWithin = 20 * time.Second
	askAgain      = 50 * time.Millisecond
)

// answers waits until url answers 200. That ctx ends first is no error.
func answers(ctx context.Context, url string) error {
	overdue := time.After(answersWithin)
	for {
		err := ask(ctx, url)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-overdue:
			return fmt.Errorf("the demo does not answer: %w", err)
		case <-time.After(askAgain):
		}
	}
}
