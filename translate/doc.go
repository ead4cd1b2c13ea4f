// Package translate is the pure core of Portico: HTCC operations become ICWS calls, and what ICWS
// says becomes what /me shows and notifies. It has no I/O, clock, log or goroutine: every function
// takes what it needs and returns what it found.
//
// The flow of a write is Rules.Plan (calls to make, state to expect); of a read Rules.View; of a
// message Rules.Heard. What the behaviour rests on and no vendor page settles is listed in this
// folder's README.md.
package translate
