package fleet

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"
)

// steps is how many states the site gives an agent, one after the other and none twice.
const steps = 60

func step(n int) string { return fmt.Sprintf("Step %02d", n) }

// addSteps has PureConnect know them.
func addSteps(icws string) error {
	var add []map[string]string
	for n := range steps {
		add = append(add, map[string]string{"statusId": step(n + 1)})
	}
	return control(context.Background(), icws, "catalogue", map[string]any{"add": add})
}

// control tells a simulator to change something.
func control(ctx context.Context, host, what string, body any) error {
	return post(ctx, "http://"+host+"/_sim/"+what, body, nil)
}

// changes give agents one state after the other at PureConnect, as another client of theirs would, one
// agent after the other. Any number of goroutines may call its methods.
type changes struct {
	icws   string
	agents []string // who do not write themselves
	mu     sync.Mutex
	last   map[string]int // the number of each agent's state, guarded by mu
}

func newChanges(icws string, agents []Applicant) *changes {
	c := &changes{icws: icws, last: map[string]int{}}
	for _, a := range agents {
		if !a.Writes {
			c.agents = append(c.agents, a.Name)
		}
	}
	return c
}

// start begins to change each agent once in a while, at a steady rate. The function that it returns ends
// that, and says what went wrong.
func (c *changes) start(ctx context.Context, each time.Duration) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		tick := time.NewTicker(each / time.Duration(len(c.agents)))
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-ctx.Done():
				ended <- nil
				return
			case <-tick.C:
			}
			err := c.next(c.agents[i%len(c.agents)])
			if err != nil {
				ended <- err
				return
			}
		}
	}()
	return func() error {
		cancel()
		return <-ended
	}
}

// next gives an agent the next state.
func (c *changes) next(agent string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.last[agent] + 1
	if n > steps {
		return fmt.Errorf("%s has had all %d states", agent, steps)
	}
	c.last[agent] = n
	return control(context.Background(), c.icws, "state", map[string]string{"user": agent, "statusId": step(n)})
}

// now returns the number of each agent's state.
func (c *changes) now() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.last)
}
