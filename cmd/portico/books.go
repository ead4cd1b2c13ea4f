package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"portico/config"
	"portico/proxy"
	"portico/proxy/logs"
	"portico/proxy/tracing"
)

// Books are what a process writes of itself: its log and its numbers.
type books struct {
	log   *slog.Logger
	queue *logs.Queue    // of log
	level *slog.LevelVar // of log
	reg   prometheus.Registerer
	shown prometheus.Gatherer // what reg holds
}

// newBooks opens books whose log goes to out, a JSON object a line. Stderr is told if lines of it are lost.
// Who opens books flushes them at the end.
func newBooks(out, stderr io.Writer) books {
	registry := prometheus.NewRegistry()
	return booksIn(out, stderr, registry, registry)
}

// flushWithin is how long a reader of the log who does not take what is left of it is waited for.
const flushWithin = time.Second

// flush waits until the log is written.
func (b books) flush() { b.queue.Flush(flushWithin) }

// booksIn opens books whose numbers are in reg, which shown shows.
func booksIn(out, stderr io.Writer, reg prometheus.Registerer, shown prometheus.Gatherer) books {
	b := books{level: new(slog.LevelVar), reg: reg, shown: shown}
	b.reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	countBuild(b.reg)
	b.log, b.queue = logs.New(logs.Settings{Out: out, Beside: stderr, Level: b.level, Each: []string{proxy.MessageRequest, proxy.MessageAudit},
		Trace: traceOf, Registerer: b.reg})
	return b
}

func traceOf(ctx context.Context) (trace, span, flags string, ok bool) {
	ids, ok := tracing.IDsOf(ctx)
	return ids.Trace, ids.Span, ids.Flags, ok
}

// tracerOf returns what records traces, nil if the settings name nobody to send them to.
func tracerOf(cfg config.Traces, log *slog.Logger) (*tracing.Tracer, error) {
	if cfg.Endpoint == "" {
		return nil, nil
	}
	tracer, err := tracing.New(context.Background(), tracing.Settings{Endpoint: cfg.Endpoint, Share: float64(cfg.PerThousand) / 1000,
		Version: version, Failed: func(err error) { log.Warn("traces could not be sent", "cause", err.Error()) }})
	if err != nil {
		return nil, fmt.Errorf("traces.endpoint: %w", err)
	}
	return tracer, nil
}
