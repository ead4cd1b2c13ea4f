package gateway

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"portico/proxy/fault"
	"portico/proxy/icws"
	"portico/proxy/upstream"
	"portico/translate"
	"portico/translate/icwsapi"
)

// failed decides what the failure of call i of a plan means. A call that may have arrived all the
// same is looked for; else the calls before it are undone, and with them one that may have arrived. It
// returns nil if the plan is done.
func (p *icwsPart) failed(ctx context.Context, conn icws.Conn, plan translate.Plan, i int, cause error) error {
	if errors.Is(cause, icws.ErrSessionGone) {
		return cause // what was activated stays with a status that the recovery looks at first
	}
	call := plan.Calls[i]
	if mayHaveArrived(cause) && call.Status != nil && p.arrived(ctx, conn, plan, *call.Status) {
		return nil
	}
	undo := plan.Undo(i)
	if mayHaveArrived(cause) {
		undo = plan.Undo(i + 1)
	}
	if call.Status != nil && unanswered(cause) && len(undo.Reactivate) > 0 {
		// The status may yet become one that work is routed to: what was taken off stays off.
		p.warn("activations stay off, since a status change may yet take place", cause)
		undo.Reactivate = nil
	}
	err := p.undo(ctx, conn, undo)
	if err != nil {
		p.warn("activations were not put back", err)
		return &fault.Error{Kind: kindOfUndo(err), Err: fmt.Errorf("gateway: undo what went before: %w; after: %w", err, cause)}
	}
	return cause
}

// mayHaveArrived reports whether a failed call may have been carried out. One that was not sent has not.
func mayHaveArrived(err error) bool { return uncertain(err) && !upstream.IsUnsent(err) }

// kindOfUndo returns what callers see of an undo that failed. Whatever refused the operation, the site
// has left it half done: that is the site's error, or its silence.
func kindOfUndo(err error) fault.Kind {
	switch kind := fault.KindOf(err); kind {
	case fault.Timeout, fault.Unreachable:
		return kind
	}
	return fault.BadUpstream
}

// unanswered reports whether a failed call may yet be carried out: the site itself gave no answer.
func unanswered(err error) bool {
	refusal, answered := errors.AsType[*icws.Refusal](err)
	return mayHaveArrived(err) && (!answered || refusal.Body.ErrorID == "" && refusal.Body.ErrorCode == 0)
}

// arrived reads whether a status was set though its answer was lost, and notes the plan as done if
// it was.
func (p *icwsPart) arrived(ctx context.Context, conn icws.Conn, plan translate.Plan, asked icwsapi.UserStatusUpdate) bool {
	p.awaitWrites(ctx)
	began := p.moment()
	status, err := p.site.ICWS.UserStatus(ctx, conn, conn.UserID)
	if err != nil || !strings.EqualFold(status.StatusID, asked.StatusID) ||
		text(status.Notes) != asked.Notes || text(status.ForwardNumber) != asked.ForwardNumber {
		return false
	}
	p.update(func(s translate.AgentState, d *translate.Directory) (translate.AgentState, translate.Heard) {
		p.writes.plans++
		status = p.asOfLocked(began, status)
		s, _ = s.Sent(plan, "")
		return p.site.Rules.Decided(s, "", status, d)
	})
	return true
}

func text(property *string) string {
	if property == nil {
		return ""
	}
	return *property
}

// awaitWrites waits until the writes that were accepted have completed, or have been decided: until then
// a read may show a status that is about to be replaced.
func (p *icwsPart) awaitWrites(ctx context.Context) {
	p.mu.Lock()
	under := slices.Collect(maps.Values(p.writes.byID))
	p.mu.Unlock()
	for _, w := range under {
		select {
		case <-w.done:
		case <-ctx.Done():
		case <-p.agent.life.Done():
		}
	}
}

// undo takes activations back. Deactivating is safe at once. Activating is safe only while no work
// is routed to the agent, which a read must show: without it they stay off.
func (p *icwsPart) undo(ctx context.Context, conn icws.Conn, undo translate.Undo) error {
	if len(undo.Deactivate) > 0 {
		err := p.putBack(ctx, conn, undo.Deactivate)
		if err != nil {
			return err
		}
	}
	if len(undo.Reactivate) == 0 {
		return nil
	}
	routed, err := p.routed(ctx, conn)
	if err != nil {
		return err
	}
	if routed {
		return errors.New("the status routes work to the agent: activations stay off")
	}
	return p.putBack(ctx, conn, undo.Reactivate)
}

// putBack sets activations and notes that they are set.
func (p *icwsPart) putBack(ctx context.Context, conn icws.Conn, activations map[string]bool) error {
	err := p.setActivations(ctx, conn, activations)
	if err != nil {
		return err
	}
	p.update(func(s translate.AgentState, _ *translate.Directory) (translate.AgentState, translate.Heard) {
		p.moments.outdate()
		return s.WithActivations(activations), translate.Heard{}
	})
	return nil
}

// routed reads whether the agent is in a status that work is routed to.
func (p *icwsPart) routed(ctx context.Context, conn icws.Conn) (bool, error) {
	began := p.moment()
	status, err := p.site.ICWS.UserStatus(ctx, conn, conn.UserID)
	if err != nil {
		return true, err
	}
	routed := false
	p.update(func(s translate.AgentState, d *translate.Directory) (translate.AgentState, translate.Heard) {
		routed = d.IsACD(status.StatusID)
		status = p.asOfLocked(began, status)
		routed = routed || d.IsACD(status.StatusID)
		return p.site.Rules.HeardStatus(s, status, d)
	})
	return routed, nil
}
