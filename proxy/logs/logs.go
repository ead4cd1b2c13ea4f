// Package logs is how Portico logs: one JSON object a line, with the ids of the trace that a record
// belongs to. It keeps secrets out whoever logs them, leaves out warnings that repeat too often, counts
// what it writes, and has nobody wait for that.
package logs

import (
	"context"
	"io"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
)

// Settings are what a log needs. Out and Level are required.
type Settings struct {
	Out    io.Writer
	Beside io.Writer      // is told, once, that lines are lost; nil: nobody is
	Level  *slog.LevelVar // may be changed at any time

	// Each are messages of which every record is written, however often they repeat: of records that
	// stand for something that happened once each, such as a request.
	Each []string

	// Trace returns the ids of the trace and span that a context belongs to; nil: none does.
	Trace func(context.Context) (trace, span, flags string, ok bool)

	Registerer prometheus.Registerer // nil = counted nowhere
}

// New returns a log, and the queue that its lines go through: who ends the process flushes it. Any number of
// goroutines may use them.
func New(s Settings) (*slog.Logger, *Queue) {
	if s.Beside == nil {
		s.Beside = io.Discard
	}
	queue := newQueue(s.Out, s.Beside, newCounters(s.Registerer))
	d := &direct{out: queue, trace: s.Trace}
	var h slog.Handler = slog.NewJSONHandler(queue, &slog.HandlerOptions{Level: s.Level, ReplaceAttr: withoutSecrets})
	if s.Trace != nil {
		h = tracing{h, s.Trace}
	}
	return slog.New(newSampling(h, s.Each, d)), queue
}

// Names of the ids of a trace.
//
// Source: OpenTelemetry, Trace Context in non-OTLP Log Formats: the names, at the top level.
const (
	nameTrace = "trace_id"
	nameSpan  = "span_id"
	nameFlags = "trace_flags"
)

// tracing adds the ids of the trace that a record's context belongs to.
type tracing struct {
	slog.Handler
	ids func(context.Context) (trace, span, flags string, ok bool)
}

func (h tracing) Handle(ctx context.Context, r slog.Record) error {
	trace, span, flags, ok := h.ids(ctx)
	if ok {
		r = r.Clone()
		r.AddAttrs(slog.String(nameTrace, trace), slog.String(nameSpan, span), slog.String(nameFlags, flags))
	}
	return h.Handler.Handle(ctx, r)
}

func (h tracing) WithAttrs(attrs []slog.Attr) slog.Handler {
	return tracing{h.Handler.WithAttrs(attrs), h.ids}
}

func (h tracing) WithGroup(name string) slog.Handler {
	return tracing{h.Handler.WithGroup(name), h.ids}
}
