// Package logs is how Portico logs: one JSON object a line, with the ids of the trace that a record
// belongs to. It keeps secrets out whoever logs them, leaves out warnings that repeat too often, and
// counts what it writes.
package logs

import (
	"context"
	"io"
	"log/slog"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// Settings are what a log needs. Out and Level are required.
type Settings struct {
	Out   io.Writer
	Level *slog.LevelVar // may be changed at any time

	// Each are messages of which every record is written, however often they repeat: of records that
	// stand for something that happened once each, such as a request.
	Each []string

	// Trace returns the ids of the trace and span that a context belongs to; nil: none does.
	Trace func(context.Context) (trace, span, flags string, ok bool)

	Registerer prometheus.Registerer // nil = counted nowhere
}

// New returns a log. Any number of goroutines may use it.
func New(s Settings) *slog.Logger {
	d := &direct{out: &oneAtATime{out: s.Out}, written: newWritten(s.Registerer), trace: s.Trace}
	var h slog.Handler = counting{slog.NewJSONHandler(d.out, &slog.HandlerOptions{Level: s.Level, ReplaceAttr: withoutSecrets}), d.written}
	if s.Trace != nil {
		h = tracing{h, s.Trace}
	}
	return slog.New(newSampling(h, s.Each, d))
}

// oneAtATime is a writer that both ways of writing share.
type oneAtATime struct {
	mu  sync.Mutex
	out io.Writer // guarded by mu
}

func (w *oneAtATime) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.Write(p)
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
