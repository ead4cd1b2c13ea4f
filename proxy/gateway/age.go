package gateway

import "time"

// A source is where what is shown of an agent comes from.
type source string

const (
	fromPush source = "push" // kept by what the site pushes
	fromRead source = "read" // read because a caller asked
)

// A pulse is when something showed last that it lives. Any number of goroutines may use it; the zero
// pulse has shown nothing.
type pulse struct{ last instant }

func (p *pulse) beat() { p.last.note() }

// since returns how long ago the latest of the pulse and another moment was.
func (p *pulse) since(other time.Time) time.Duration {
	last := p.last.time()
	if other.After(last) {
		last = other
	}
	return max(time.Since(last), 0)
}
