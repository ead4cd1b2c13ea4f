package proxy

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"portico/cache"
	"portico/proxy/icws"
	"portico/proxy/logs"
	"portico/proxy/quick"
	"portico/proxy/tracing"
	"portico/proxy/upstream"
)

// What metrics may cost of a catalogue hit: one of the two.
const (
	mostMicros = 5
	mostRatio  = 1.10
)

// How a run is made: hits in a row with each amount of telemetry in turn, and that so often.
const (
	hitsInARow = 1000
	rounds     = 75
)

// BenchmarkTelemetry measures the processor time of a catalogue hit without that of the connection, garbage collection included, with
// more and more telemetry. All amounts are measured in turn, so that what else the machine does is the
// same for each, and the ratio is that of the two nearest in time. `make bench-telemetry` runs it.
func BenchmarkTelemetry(b *testing.B) {
	w := newDoor(b)
	cookie := "JSESSIONID=" + cookieOf(w.as("anna").get("/me/status-messages"))
	amounts := []struct {
		name string
		hit  func()
	}{
		{"off", hitAt(b, w, cookie, Settings{})},
		{"metrics", hitAt(b, w, cookie, Settings{Metrics: NewMetrics(prometheus.NewRegistry())})},
		{"log", hitAt(b, w, cookie, Settings{Metrics: NewMetrics(prometheus.NewRegistry()), Logger: discardingLog()})},
		{"traces", hitAt(b, w, cookie, Settings{Metrics: NewMetrics(prometheus.NewRegistry()), Logger: discardingLog(), Tracer: sampling(b)})},
	}
	for b.Loop() {
		took := make([][]float64, len(amounts))   // microseconds a hit, by amount
		ratios := make([][]float64, len(amounts)) // to off
		for round := range rounds {
			for i := range amounts {
				at := (i + round) % len(amounts)
				took[at] = append(took[at], micros(amounts[at].hit))
			}
			for at := range amounts {
				ratios[at] = append(ratios[at], took[at][round]/took[0][round])
			}
		}
		for at, amount := range amounts {
			b.ReportMetric(median(took[at]), amount.name+"-µs/hit")
			b.ReportMetric(median(ratios[at]), amount.name+"/off")
		}
		elsewhere := countedElsewhere(b)
		b.ReportMetric(elsewhere, "counted-elsewhere-µs/hit")
		added, ratio := median(took[1])-median(took[0])+elsewhere, median(ratios[1])+elsewhere/median(took[0])
		if added > mostMicros && ratio > mostRatio {
			b.Errorf("metrics cost %.2f µs a hit, %.3f of one without; at most %v µs or %v", added, ratio, mostMicros, mostRatio)
		}
	}
}

// hitAt returns what asks a door with these settings for the catalogue.
func hitAt(b *testing.B, w *world, cookie string, s Settings) func() {
	s.Gateway, s.PublicURL = w.gateway, "https://agents.example"
	door := New(s)
	here, there := net.Pipe()
	b.Cleanup(func() { _, _ = here.Close(), there.Close() })
	came := []byte("GET /me/status-messages HTTP/1.1\r\nHost: agents.example\r\nCookie: " + cookie + "\r\n\r\n")
	var request quick.Request
	return func() {
		if !request.Parse(came, here) || !door.Quick(io.Discard, &request) {
			b.Fatal("it is no hit")
		}
	}
}

func discardingLog() *slog.Logger {
	log, _ := logs.New(logs.Settings{Out: io.Discard, Level: new(slog.LevelVar), Registerer: prometheus.NewRegistry(),
		Trace: func(ctx context.Context) (string, string, string, bool) {
			ids, ok := tracing.IDsOf(ctx)
			return ids.Trace, ids.Span, ids.Flags, ok
		}})
	return log
}

// sampling records one trace of a hundred, for nobody.
func sampling(b *testing.B) *tracing.Tracer {
	tracer := tracing.NewWith(tracing.Settings{Share: .01}, sdk.NewBatchSpanProcessor(nobody{}))
	b.Cleanup(func() { _ = tracer.Close(context.Background()) })
	return tracer
}

// nobody takes spans and does nothing with them.
type nobody struct{}

func (nobody) ExportSpans(context.Context, []sdk.ReadOnlySpan) error { return nil }
func (nobody) Shutdown(context.Context) error                        { return nil }

// micros returns how many microseconds of processor time one call takes.
func micros(do func()) float64 {
	runtime.GC() // what others left behind is not this one's to tidy up
	began := processorTime()
	for range hitsInARow {
		do()
	}
	return float64((processorTime() - began).Nanoseconds()) / 1000 / hitsInARow
}

func processorTime() time.Duration {
	var used syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	if err != nil {
		panic(fmt.Sprintf("proxy: processor time cannot be had: %v", err))
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// countedElsewhere returns what a hit's counts in the rooms behind the door take, which are made whether
// or not anybody sees them: two look-ups, two calls avoided, and the gauge of requests in flight.
func countedElsewhere(b *testing.B) float64 {
	reg := prometheus.NewRegistry()
	cells, calls := cache.NewMetrics(reg, site), upstream.NewMetrics(reg, []string{site})
	at := calls.Site(site, upstream.Vocabulary{Kind: "icws", Operations: []string{icws.OpGetStatusMessages, icws.OpGetUserAccess}})
	inFlight := NewMetrics(nil).requestsInFlight
	var all []float64
	for range rounds {
		all = append(all, micros(func() {
			inFlight.Inc()
			cells.Served(cache.Catalogue, site)
			at.Avoided(icws.OpGetStatusMessages, upstream.CacheHit)
			cells.Served(cache.Access, site)
			at.Avoided(icws.OpGetUserAccess, upstream.CacheHit)
			inFlight.Dec()
		}))
	}
	return median(all)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
