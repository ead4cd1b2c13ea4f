package logs

import (
	"bytes"
	"log/slog"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// levels are the values of the level label.
var levels = [...]slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError}

// counters count what becomes of lines.
type counters struct {
	written [len(levels)]prometheus.Counter
	full    prometheus.Counter // lost, since too many waited
	failed  prometheus.Counter // lost, since they could not be written
}

func newCounters(reg prometheus.Registerer) *counters {
	lines := promauto.With(reg).NewCounterVec(prometheus.CounterOpts{
		Name: "portico_log_messages_total",
		Help: "Lines written to the log. level: debug, info, warn, error.",
	}, []string{"level"})
	lost := promauto.With(reg).NewCounterVec(prometheus.CounterOpts{
		Name: "portico_log_messages_lost_total",
		Help: "Lines that are missing in the log. reason: full (too many waited to be written), failed (they could not be written).",
	}, []string{"reason"})
	c := &counters{full: lost.WithLabelValues("full"), failed: lost.WithLabelValues("failed")}
	for i, level := range levels {
		c.written[i] = lines.WithLabelValues(strings.ToLower(level.String()))
	}
	return c
}

// count counts lines that were written, each under the most severe level that is no more severe than its
// own: INFO+2 is info.
func (c *counters) count(lines []byte) {
	for line := range bytes.Lines(lines) {
		_, level, _ := bytes.Cut(line, inLine)
		i := 0
		for i < len(levels)-1 && !bytes.HasPrefix(level, names[i]) {
			i++
		}
		c.written[i].Inc()
	}
}

// How a level stands in a line, where only the time comes before it.
var (
	inLine = []byte(`"level":"`)
	names  = [...][]byte{[]byte("DEBUG"), []byte("INFO"), []byte("WARN"), []byte("ERROR")}
)
