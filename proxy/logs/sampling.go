package logs

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"
)

const (
	// window is the time in which warnings are alike if they say the same of the same site.
	window = time.Minute

	// inWindow is how many that are alike are written in it.
	inWindow = 10

	// maxKinds bounds how many kinds of warning are told apart. Beyond it all windows begin anew.
	maxKinds = 1000
)

// sampling leaves out warnings and errors of which as many were written a moment ago: a thousand agents
// whose site breaks down have one thing to tell. The next that is written says how many were left out.
type sampling struct {
	slog.Handler
	each   []string
	seen   *seen
	site   string  // that WithAttrs was given
	direct *direct // writes what the handler below would of lines; nil once that was given attributes or a group
}

func newSampling(h slog.Handler, each []string, d *direct) sampling {
	return sampling{Handler: h, each: each, seen: &seen{kinds: map[kind]*counted{}}, direct: d}
}

// A kind is what warnings that are alike have in common.
type kind struct {
	level         slog.Level
	message, site string
}

// seen is what was logged in the window of each kind.
type seen struct {
	mu    sync.Mutex
	kinds map[kind]*counted // guarded by mu, with what is in it
}

type counted struct {
	since   time.Time
	written int
	leftOut int
}

func (h sampling) Handle(ctx context.Context, r slog.Record) error {
	if h.always(r.Level, r.Message) {
		return h.Handler.Handle(ctx, r)
	}
	write, leftOut := h.seen.count(kind{r.Level, r.Message, siteOf(r, h.site)}, time.Now())
	if !write {
		return nil
	}
	if leftOut > 0 {
		r = r.Clone()
		r.AddAttrs(slog.Int("left_out", leftOut))
	}
	return h.Handler.Handle(ctx, r)
}

// always reports whether records of a message are never left out.
func (h sampling) always(level slog.Level, message string) bool {
	return level < slog.LevelWarn || slices.Contains(h.each, message)
}

// count reports whether a record is to be written, and how many of its kind were not since the last
// that was.
func (s *seen) count(k kind, now time.Time) (write bool, leftOut int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.kinds[k]
	if c == nil {
		if len(s.kinds) >= maxKinds {
			clear(s.kinds)
		}
		c = &counted{since: now}
		s.kinds[k] = c
	}
	if now.Sub(c.since) >= window {
		c.since, c.written = now, 0
	}
	if c.written >= inWindow {
		c.leftOut++
		return false, 0
	}
	c.written++
	leftOut, c.leftOut = c.leftOut, 0
	return true, leftOut
}

// siteOf returns the site that a record is about.
func siteOf(r slog.Record, otherwise string) string {
	site := otherwise
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "site" {
			site = a.Value.String()
		}
		return a.Key != "site"
	})
	return site
}

func (h sampling) WithAttrs(attrs []slog.Attr) slog.Handler {
	for _, a := range attrs {
		if a.Key == "site" {
			h.site = a.Value.String()
		}
	}
	h.Handler, h.direct = h.Handler.WithAttrs(attrs), nil
	return h
}

func (h sampling) WithGroup(name string) slog.Handler {
	h.Handler, h.direct = h.Handler.WithGroup(name), nil
	return h
}
