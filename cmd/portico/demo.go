package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sync/errgroup"

	"portico/config"
	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
)

//go:embed demo.yaml
var demoSettings string

// demoFlags are where the demo is to listen, "" for where its settings say, and the file laid over those, "" for none.
type demoFlags struct{ door, admin, icws, htcc, over string }

// demo runs Portico with simulated contact centres, needs nothing else, and stops cleanly.
func demo(ctx context.Context, p process, args []string) error {
	var asked demoFlags
	set := p.flags("demo", "[flags]")
	set.StringVar(&asked.door, "listen", "", "`address` of Portico, default 127.0.0.1:8080; port 0 is any free one")
	set.StringVar(&asked.admin, "admin", "", "`address` of Portico's admin listener, default 127.0.0.1:9180")
	set.StringVar(&asked.icws, "icws", "127.0.0.1:8018", "`address` of the ICWS simulator")
	set.StringVar(&asked.htcc, "htcc", "127.0.0.1:8090", "`address` of the HTCC simulator")
	inJSON := set.Bool("json", false, "print the addresses as one line of JSON, once everything answers")
	set.StringVar(&asked.over, "config", "", "settings `file` laid over the demo's own")
	err := parse(set, args, 0)
	if err != nil {
		return err
	}
	pureconnect, cloud := &simulated{handler: &icwssim.Server{}}, &simulated{handler: &htccsim.Server{}}
	books := newBooks(p.stderr, p.stderr)
	defer books.flush()
	portico, err := p.openDemo(ctx, books, pureconnect, cloud, asked)
	if err != nil {
		return errors.Join(err, pureconnect.close(), cloud.close())
	}
	parts, ctx := errgroup.WithContext(ctx)
	// The simulators outlive Portico, which logs its agents off when it stops.
	simulating, stopSimulating := context.WithCancel(context.WithoutCancel(ctx))
	for _, sim := range []*simulated{pureconnect, cloud} {
		parts.Go(func() error { return sim.serve(simulating) })
	}
	parts.Go(func() error {
		defer stopSimulating()
		return portico.run(ctx)
	})
	parts.Go(func() error { return p.announce(ctx, books, portico, pureconnect, cloud, *inJSON) })
	return parts.Wait()
}

// openDemo opens the listeners of the simulators and of Portico.
func (p process) openDemo(ctx context.Context, books books, pureconnect, cloud *simulated, asked demoFlags) (*running, error) {
	err := pureconnect.listen(p, "ICWS simulator", asked.icws)
	if err != nil {
		return nil, fmt.Errorf("%w; --icws moves it", err)
	}
	err = cloud.listen(p, "HTCC simulator", asked.htcc)
	if err != nil {
		return nil, fmt.Errorf("%w; --htcc moves it", err)
	}
	cfg, err := demoConfig(ctx, asked.over, pureconnect.address(), cloud.address(), p.environ)
	if err != nil {
		return nil, err
	}
	move(cfg, asked.door, asked.admin)
	portico, err := open(cfg, books)
	_, isAddress := errors.AsType[*net.OpError](err)
	if isAddress {
		return nil, fmt.Errorf("%w; --listen and --admin move Portico", err)
	}
	return portico, err
}

// demoConfig returns the demo's settings with those of a file laid over them.
func demoConfig(ctx context.Context, over, icws, htcc string, environ []string) (*config.Config, error) {
	base := config.Document{Name: "demo", Data: fmt.Appendf(nil, demoSettings, icws, htcc)}
	if over == "" {
		return config.ParseOver(base, config.Document{Name: "none", Data: []byte("{}")}, environ)
	}
	data, err := config.Read(ctx, over)
	if err != nil {
		return nil, err
	}
	return config.ParseOver(base, config.Document{Name: over, Data: data}, environ)
}

// move takes addresses from the flags that were given. A public URL that only followed from the
// address follows from the new one.
func move(cfg *config.Config, door, admin string) {
	if door != "" {
		if cfg.PublicURL == cfg.PublicURLAt(cfg.Listen) {
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
	HTCC    string `json:"htcc"`
}

// announce waits until everything answers and says where.
func (p process) announce(ctx context.Context, books books, r *running, pureconnect, cloud *simulated, inJSON bool) error {
	err := answers(ctx, r.admin.url()+"/readyz")
	if err != nil {
		return err
	}
	books.flush() // what was logged before stands before
	at := addresses{Portico: r.door.address(), Admin: r.admin.address(), ICWS: pureconnect.address(), HTCC: cloud.address()}
	if inJSON {
		return json.NewEncoder(p.stdout).Encode(at)
	}
	_, err = fmt.Fprintf(p.stdout, demoText, at.Portico, at.Admin, at.ICWS, at.HTCC, at.Portico, at.Portico, at.Portico, at.Portico, at.Portico, at.ICWS, at.HTCC)
	return err
}

const demoText = `Portico answers at http://%s, its operators' door at http://%s,
the ICWS simulator at http://%s, the HTCC simulator at http://%s.

  curl -u anna:anna 'http://%s/me?subresources=*'
  curl -u anna:anna -d '{"operationName":"Ready"}' http://%s/me
  curl -u bjorn:bjorn -d '{"operationName":"StartContactCenterSession","channels":["voice","chat"]}' http://%s/api/v2/me
  curl -u cleo:cleo -d '{"operationName":"NotReady"}' http://%s/api/v2/me
  curl -u cleo:cleo http://%s/settings/agent-states
  curl 'http://%s/_sim/state?user=anna'        what PureConnect holds
  curl 'http://%s/_sim/state?user=bjorn'       what HTCC holds

Agents: anna and agent0001 to agent9999 on PureConnect, bjorn on HTCC, cleo on both; the password is
the name. Ctrl-C stops.
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
