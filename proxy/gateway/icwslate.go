package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"portico/proxy/guesses"
	"portico/proxy/icws"
	"portico/proxy/upstream"
	"portico/translate"
)

// setAtWork notes why the agent was not taken out of work when they asked for that, nil if they were. Where another host
// may answer later, the password is kept for it.
func (p *icwsPart) setAtWork(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.atWork, p.lateWith = why, ""
	if why != nil && len(p.site.ICWS.Hosts()) > 1 {
		p.lateWith = p.agent.keptPassword()
	}
}

// leftLocked returns what is left to be done at the site at the end of the session.
func (p *icwsPart) leftLocked(logOut bool) lateEnd {
	left := lateEnd{account: guesses.Account{Site: p.site.Name, Name: p.login}, cause: p.atWork}
	if !p.link.usable() {
		return left
	}
	worker := &icwsWorker{part: p, conn: *p.link.conn, password: p.lateWith, atLogin: p.atLogin}
	if p.directory != nil {
		worker.directory = p.directory.Directory
	}
	if p.atWork != nil {
		left.takeOut = worker.takeOutAnywhere
	}
	if logOut {
		left.closeOut = func(ctx context.Context) error { return p.site.ICWS.Logout(ctx, worker.conn) }
	}
	return left
}

// An icwsWorker is an agent whose session has ended while they could not be taken out of work.
type icwsWorker struct {
	part      *icwsPart
	conn      icws.Conn
	password  string               // for another host; "" if there is none, none is kept, or it was asked
	isAway    bool                 // the host gives no answer, and one that hangs would take the time of a log-in
	directory *translate.Directory // nil until it is read, where nobody had to look anything up in it
	atLogin   map[string]bool
}

// takeOutAnywhere is takeOut, at another host if that of the upstream session gives no answer. As by icwsPart.move the
// session there is left then, and where the same host answers after all it goes on. Another host is asked once: a site that
// takes log-ins and no status would be logged in to with each try.
func (w *icwsWorker) takeOutAnywhere(ctx context.Context) error {
	if !w.isAway {
		err := w.takeOut(ctx)
		w.isAway = upstream.IsAway(err) && w.password != ""
		if !w.isAway {
			return err
		}
	}
	at := w.part.site.ICWS
	conn, err := at.Login(ctx, icws.Credentials{UserID: w.part.login, Password: w.password, Language: w.conn.Language})
	if err != nil {
		return fmt.Errorf("gateway: log in to take the agent out of work: %w", err)
	}
	w.isAway, w.password = false, ""
	if conn.Base == w.conn.Base {
		at.LetGo(ctx, conn)
	} else {
		w.conn = conn
	}
	return w.takeOut(ctx)
}

// takeOut is icwsPart.takeOut on what the site says now: nothing of the agent is kept current any more.
func (w *icwsWorker) takeOut(ctx context.Context) error {
	state, err := w.read(ctx)
	if err != nil {
		return err
	}
	rules := w.part.site.Rules
	plan := rules.PlanEnd(state, w.directory)
	for _, call := range plan.Calls {
		_, err = w.part.send(ctx, w.conn, call)
		if err != nil {
			return err
		}
	}
	if plan.Warning != "" {
		return errors.New(plan.Warning)
	}
	restore := rules.PlanRestore(state, w.atLogin)
	if len(plan.Calls)+len(restore) == 0 {
		return nil
	}
	routed, err := w.isRouted(ctx, len(plan.Calls) > 0)
	switch {
	case err != nil:
		return err
	case routed:
		return errRouted
	case len(restore) == 0:
		return nil
	}
	return w.part.setActivations(ctx, w.conn, restore)
}

// read reads what PlanEnd and PlanRestore go by.
func (w *icwsWorker) read(ctx context.Context) (translate.AgentState, error) {
	at := w.part.site
	err := w.look(ctx)
	if err != nil {
		return translate.AgentState{}, err
	}
	status, err := at.ICWS.UserStatus(ctx, w.conn, w.conn.UserID)
	if err != nil {
		return translate.AgentState{}, err
	}
	var activations map[string]bool
	if at.Rules.RestoreActivations && w.atLogin != nil {
		activations, err = at.ICWS.Activations(ctx, w.conn, w.conn.UserID)
		if err != nil {
			return translate.AgentState{}, err
		}
	}
	return translate.Begin(w.conn.UserID, status, activations, w.directory), nil
}

// look reads what statuses are looked up in, where that was not known.
func (w *icwsWorker) look(ctx context.Context) error {
	if w.directory != nil {
		return nil
	}
	at := w.part.site
	messages, err := at.ICWS.StatusMessages(ctx, w.conn)
	if err != nil {
		return err
	}
	ids, err := at.ICWS.UserAccess(ctx, w.conn, w.conn.UserID)
	if err != nil {
		return err
	}
	w.directory = at.Rules.NewDirectory(at.maker.Of(messages), translate.NewAccess(ids))
	return nil
}

// isRouted reports whether the agent is in a status that work is routed to: where one was set, once that has taken place,
// or after endWithin.
func (w *icwsWorker) isRouted(ctx context.Context, changed bool) (bool, error) {
	for began := time.Now(); ; {
		status, err := w.part.site.ICWS.UserStatus(ctx, w.conn, w.conn.UserID)
		if err != nil {
			return true, err
		}
		if !w.directory.IsACD(status.StatusID) {
			return false, nil
		}
		if !changed || time.Since(began) >= endWithin {
			return true, nil
		}
		err = upstream.Sleep(ctx, isRoutedEvery)
		if err != nil {
			return true, err
		}
	}
}

// isRoutedEvery is how often that is looked for.
const isRoutedEvery = 500 * time.Millisecond

var errRouted = errors.New("the status routes work to the agent")
