package logs

import (
	"context"
	"log/slog"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// levels are the values of the level label.
var levels = [...]slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError}

// written counts the lines that are written, by level.
type written [len(levels)]prometheus.Counter

func newWritten(reg prometheus.Registerer) *written {
	lines := promauto.With(reg).NewCounterVec(prometheus.CounterOpts{
		Name: "portico_log_messages_total",
		Help: "Lines written to the log. level: debug, info, warn, error.",
	}, []string{"level"})
	counters := new(written)
	for i, level := range levels {
		counters[i] = lines.WithLabelValues(strings.ToLower(level.String()))
	}
	return counters
}

// count counts a line under the most severe level that is no more severe than its own.
func (w *written) count(level slog.Level) {
	i := len(levels) - 1
	for i > 0 && level < levels[i] {
		i--
	}
	w[i].Inc()
}

// counting counts the lines that are written.
type counting struct {
	slog.Handler
	written *written
}

func (h counting) Handle(ctx context.Context, r slog.Record) error {
	h.written.count(r.Level)
	return h.Handler.Handle(ctx, r)
}

func (h counting) WithAttrs(attrs []slog.Attr) slog.Handler {
	return counting{h.Handler.WithAttrs(attrs), h.written}
}

func (h counting) WithGroup(name string) slog.Handler {
	return counting{h.Handler.WithGroup(name), h.written}
}
