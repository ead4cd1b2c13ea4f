package simulation

import "net/http"

// The scenarios that a Turn plays by itself.
const (
	Hang            = "hang"             // no answer (for Delay, if given, then the connection breaks)
	ResetConnection = "reset-connection" // the connection breaks instead of an answer
)

// Turn is a call that a fault has hit, as its simulator sees it. Delay and then Answer play it.
type Turn struct {
	Fault   *Fault
	Request *http.Request
	Life    *Life

	CarryOut func() (send func())             // does what the call asks; send writes the right answer
	Replace  func() (status int, send func()) // send writes the fault's answer instead
	Note     func(status int, outcome string) // logs a call whose end is the fault's doing

	// Drains says that carrying the call out takes away what it shows: if its connection breaks, the
	// answer is lost for good.
	Drains bool
}

// Delay plays what comes before the call is carried out: silence, or a delay. It panics with
// http.ErrAbortHandler where there will be no answer.
func (t *Turn) Delay() {
	f := t.Fault
	if f.Scenario == Hang {
		t.Note(0, "no answer")
		t.Life.Hold(t.Request, f.Delay)
		panic(http.ErrAbortHandler)
	}
	if !f.After && f.Delay > 0 && !t.Life.Wait(t.Request, f.Delay) {
		t.Note(0, "the caller left")
		panic(http.ErrAbortHandler)
	}
}

// Answer sends the fault's answer, or the right one if there is none, or breaks off, and carries
// the call out before if it is to be.
func (t *Turn) Answer() {
	f := t.Fault
	isBreak := f.Scenario == ResetConnection
	var sendRight func()
	if f.After || !f.replaces() || isBreak && t.Drains {
		sendRight = t.CarryOut()
	}
	if f.After && f.Delay > 0 && !t.Life.Wait(t.Request, f.Delay) {
		panic(http.ErrAbortHandler)
	}
	if isBreak {
		t.Note(0, "connection broken off")
		panic(http.ErrAbortHandler)
	}
	if !f.replaces() {
		sendRight()
		return
	}
	status, send := t.Replace()
	t.Note(status, "fault")
	send()
}
