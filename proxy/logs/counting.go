package logs

import (
	"context"
	"log/slog"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// levels are the values of the level label.
var levels = []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError}

// counting counts the lines that are written.
type counting struct {
	slog.Handler
	written map[slog.Level]prometheus.Counter
}

func newCounting(h slog.Handler, reg prometheus.Registerer) counting {
	lines := promauto.With(reg).NewCounterVec(prometheus.CounterOpts{
		Name: "portico_log_messages_total",
		Help: "Lines written to the log. level: debug, info, warn, error.",
	}, []string{"level"})
	written := map[slog.Level]prometheus.Counter{}
	for _, level := range levels {
		written[level] = lines.WithLabelValues(strings.ToLower(level.String()))
	}
	return counting{h, written}
}

func (h counting) Handle(ctx context.Context, r slog.Record) error {
	h.written[named(r.Level)].Inc()
	return h.Handler.Handle(ctx, r)
}

// named returns the most severe level with a name that is no more severe than this one.
func named(level slog.Level) slog.Level {
	for i := len(levels) - 1; i > 0; i-- {
		if level >= levels[i] {
			return levels[i]
		}
	}
	return levels[0]
}

func (h counting) WithAttrs(attrs []slog.Attr) slog.Handler {
	return counting{h.Handler.WithAttrs(attrs), h.written}
}

func (h counting) WithGroup(name string) slog.Handler {
	return counting{h.Handler.WithGroup(name), h.written}
}
