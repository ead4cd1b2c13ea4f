package gateway

import (
	"context"
	"errors"
	"time"

	"portico/proxy/fault"
	"portico/proxy/icws"
	"portico/proxy/upstream"
)

// watch keeps the part current until the session ends: it reads the state, receives what the site
// pushes, and when the upstream session is gone opens a new one. It outlives the end of the part,
// which the agent can undo.
//
// All it does itself is to wait: for most of a shift that is all there is to do, and a goroutine that does
// nothing else has a stack of 2 KB.
func (p *icwsPart) watch(ctx context.Context) {
	aside := &p.agent.gateway.aside
	aside.Enter()
	defer aside.Leave()
	c := &currency{part: p, life: upstream.WithCause(ctx, upstream.Session)}
	work := c.work // made once
	for aside.Call(work); c.waits; aside.Call(work) {
		c.listening.Wait()
	}
}

// A currency is what keeps one part current. One goroutine at a time uses it.
type currency struct {
	part   *icwsPart
	life   context.Context
	began  time.Time // when it began to receive
	breaks int       // in a row
	waits  bool      // there is nothing to do but to wait

	// Of the reception under way.
	conn      *icws.Conn // nil if there is none
	listening listening
	anew      context.CancelCauseFunc
	ctx       context.Context // that anew ends
	leave     func()          // ends that the service watches the agent
}

// work works until there is nothing to do but to wait, or until life ends.
func (c *currency) work() {
	c.waits = false
	for {
		_, err := fault.Guarded(func() (struct{}, error) { return struct{}{}, c.receive() })
		if c.waits || c.life.Err() != nil || !c.again(err) {
			return
		}
	}
}

// again returns when reception that ended with err is to begin anew; false if life ended before.
func (c *currency) again(err error) bool {
	if c.part.ended() {
		select {
		case <-c.life.Done():
			return false
		case <-c.part.revived.channel():
			c.breaks = 0
			return true
		}
	}
	if time.Since(c.began) > upstream.LongestPause {
		c.breaks = 0
		if err == nil {
			return true
		}
	}
	if err != nil {
		c.part.warn("the agent's state is not kept current", err)
	}
	c.breaks++
	return c.part.silent.Sleep(c.life, upstream.Pause(c.breaks)) == nil
}

// receive receives until nothing has come, or until the upstream session is gone, and opens a new one; or until
// reception is to begin anew, since its session was replaced or the agent is to be taken out of an outage.
func (c *currency) receive() error {
	if c.conn == nil {
		c.began = time.Now()
		err := c.part.prepare(c.life)
		if err != nil {
			return err
		}
		c.begin()
	}
	defer func() {
		if !c.waits { // also after a panic
			c.end()
		}
	}()
	err := c.listen()
	if c.waits {
		return nil
	}
	c.part.setLive(false)
	if errors.Is(err, icws.ErrSessionGone) {
		_, err = c.part.rejoin(c.life, *c.conn)
		return err
	}
	err = context.Cause(c.ctx)
	switch {
	case errors.Is(err, errAnew):
		return nil
	case errors.Is(err, errMove):
		return c.part.move(c.life, *c.conn)
	}
	return err
}

// begin begins a reception.
func (c *currency) begin() {
	c.ctx, c.anew = context.WithCancelCause(c.life)
	c.conn = c.part.receiveOn(c.anew)
	c.leave = c.part.attend(c.conn)
	c.listening = c.part.listening(c.ctx, c.conn)
}

// end ends it.
func (c *currency) end() {
	c.anew(nil)
	c.conn, c.listening = nil, nil
}

// listen receives until nothing has come, or until the reception ends.
func (c *currency) listen() error {
	defer func() {
		if !c.waits {
			c.leave()
		}
	}()
	var err error
	c.waits, err = c.listening.Work()
	if errors.Is(err, icws.ErrNoStream) {
		c.part.site.streamless.Store(true)
		c.listening = &keeping{part: c.part, ctx: c.ctx}
		c.waits, err = c.listening.Work()
	}
	return err
}

// prepare sees to it that there are an upstream session and a state to receive for.
func (p *icwsPart) prepare(life context.Context) error {
	gone, usable := p.usable()
	if !usable { // here, and not by a read, since that would not wait long enough for its turn
		_, err := p.rejoin(life, gone)
		if err != nil {
			return err
		}
	}
	return p.restoreAlone(life)
}

// receiveOn notes how reception is made to begin anew and returns the upstream session to read.
func (p *icwsPart) receiveOn(anew func(error)) *icws.Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.anew = anew
	return p.link.conn
}
