package upstream

import (
	"context"
	"sync/atomic"
	"time"
)

// ProbeEvery is how often a site is asked whether it is there.
const ProbeEvery = 10 * time.Second

// A Presence is whether a site is there, which is asked again and again. Ask and Told are set before Run is called.
type Presence struct {
	Ask  func(context.Context) error // needs no session
	Told func(error)                 // takes how each ended; one at a time

	up atomic.Bool // the last that was asked ended well
}

// IsUp reports whether the site was there when it was asked last. Any number of goroutines may call it.
func (p *Presence) IsUp() bool { return p.up.Load() }

// Run asks until ctx ends, and then returns its error. Each time the site has come or gone it calls changed.
func (p *Presence) Run(ctx context.Context, changed func(up bool)) error {
	tick := time.NewTicker(ProbeEvery)
	defer tick.Stop()
	for {
		err := p.Ask(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		p.Told(err)
		if p.up.Swap(err == nil) != (err == nil) {
			changed(err == nil)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
