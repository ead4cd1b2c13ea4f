package logs

import (
	"context"
	"io"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// traced is a context of a trace, as the logs of these tests know it.
var traced = context.WithValue(context.Background(), tracedKey{}, true)

type tracedKey struct{}

func traceOf(ctx context.Context) (trace, span, flags string, ok bool) {
	return "4bf9", "00f0", "01", ctx.Value(tracedKey{}) != nil
}

// checkLine checks that a log writes a line as it does a record that says the same.
func checkLine(t *testing.T, log *slog.Logger, out *output, ctx context.Context, at time.Time, level slog.Level, message string, attrs ...slog.Attr) {
	t.Helper()
	r := slog.NewRecord(at, level, message, 0)
	r.AddAttrs(attrs...)
	_ = log.Handler().Handle(ctx, r)
	want := out.String()
	out.Reset()
	lineOf(attrs).Write(ctx, log, at, level, message)
	if got := out.String(); got != want {
		t.Errorf("%v at %v is written\n%swant\n%s", attrs, at, got, want)
	}
	out.Reset()
}

func lineOf(attrs []slog.Attr) *Line {
	line := NewLine()
	for _, a := range attrs {
		switch key := NewKey(a.Key); a.Value.Kind() {
		case slog.KindString:
			line.Text(key, a.Value.String())
		case slog.KindInt64:
			line.Int(key, int(a.Value.Int64()))
		default:
			line.Float(key, a.Value.Float64())
		}
	}
	return line
}

func TestLinesAreThoseOfSlog(t *testing.T) {
	at := []time.Time{time.Now(), time.Now().UTC(), time.Unix(0, 0), time.Unix(1, 120_000_000).In(time.FixedZone("", 5400)), {},
		time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)}
	all := [][]slog.Attr{
		nil,
		{slog.String("route", "/api/v2/me"), slog.Int("code", 200), slog.Float64("duration_s", 0.000123), slog.Int("bytes_out", 0)},
		{slog.String("password", "canary"), slog.String("Set-Cookie", "canary"), slog.Int("token", 3)},
		{slog.String("quoted", `"\`), slog.String("lines", "a\nb\x00"), slog.String("ümlaut", "ü\u2028\xff<&>")},
		{slog.Int64("least", math.MinInt64), slog.String(`"`, ""), slog.String("", "x")},
		{slog.String("", ""), slog.String("markup", "<&>"), slog.String("deleted", "\x7f")},
	}
	for _, f := range []float64{0, 1, -1.5, 1e-6, 9.9e-7, 1e20, 1e21, 1e-9, math.Inf(1), math.NaN(), 0.1 + 0.2, math.Copysign(0, -1)} {
		all = append(all, []slog.Attr{slog.Float64("f", f)})
	}
	log, out := newLog(Settings{Trace: traceOf, Each: []string{"request"}})
	logs := []*slog.Logger{log, log.With("with", 1), log.WithGroup("g"), slog.New(slog.NewJSONHandler(out, nil))}
	for _, attrs := range all {
		for _, when := range at {
			for _, message := range []string{"request", `a "quoted" one`} {
				for _, log := range logs {
					checkLine(t, log, out, t.Context(), when, slog.LevelInfo+1, message, attrs...)
					checkLine(t, log, out, traced, when, slog.LevelInfo+1, message, attrs...)
				}
			}
		}
	}
	for level := slog.LevelDebug - 3; level < slog.LevelError+5; level++ {
		checkLine(t, log, out, t.Context(), time.Now(), level, "request")
	}
}

func FuzzLines(f *testing.F) {
	f.Add("request", "route", "/me", int64(200), 0.25, int64(1))
	f.Add("", "password", "x", int64(-1), 1e-7, int64(0))
	f.Add("a\"b", "k\n", "\xff\u2029<", int64(0), 1e21, int64(-1<<62))
	log, out := newLog(Settings{Trace: traceOf})
	f.Fuzz(func(t *testing.T, message, key, text string, number int64, float float64, at int64) {
		checkLine(t, log, out, t.Context(), time.Unix(at>>20, at), slog.Level(number%4), message,
			slog.String(key, text), slog.Int64(key, number), slog.Float64(text, float), slog.String(text, key))
	})
}

// TestLinesAreSampledAndCounted holds lines to what becomes of other records.
func TestLinesAreSampledAndCounted(t *testing.T) {
	reg := prometheus.NewRegistry()
	log, out := newLog(Settings{Registerer: reg, Each: []string{"request"}})
	for range 2 * inWindow {
		NewLine().Write(t.Context(), log, time.Now(), slog.LevelWarn, "request")
		NewLine().Write(t.Context(), log, time.Now(), slog.LevelWarn, "the reader broke")
	}
	if got := len(lines(t, out)); got != 3*inWindow {
		t.Errorf("%d lines; want all requests and %d others", got, inWindow)
	}
	families, err := reg.Gather()
	if err != nil || len(families) != 2 {
		t.Fatalf("%v, %v; want that of lines that are lost, and that of others", families, err)
	}
	for _, series := range families[1].GetMetric() {
		want := 0.0
		if series.GetLabel()[0].GetValue() == "warn" {
			want = 3 * inWindow
		}
		if got := series.GetCounter().GetValue(); got != want {
			t.Errorf("%v is %v; want %v", series.GetLabel(), got, want)
		}
	}
}

// BenchmarkLine writes the record of a request as a Line and as slog does.
func BenchmarkLine(b *testing.B) {
	attrs := []slog.Attr{slog.String("request_id", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"), slog.String("api", "me"), slog.String("route", "/api/v2/me/status-messages"),
		slog.String("method", "GET"), slog.Int("code", 200), slog.Float64("duration_s", 0.000123456), slog.Int("bytes_out", 7000),
		slog.String("operation", "status_messages"), slog.Int("api_status", 0), slog.String("session", "0123abcd"), slog.String("site", "pureconnect"), slog.String("cache_result", "hit")}
	log, _ := New(Settings{Out: io.Discard, Level: new(slog.LevelVar)})
	b.Run("line", func(b *testing.B) {
		given := lineOf(attrs).fields
		b.ReportAllocs()
		for b.Loop() {
			line := NewLine()
			line.fields = append(line.fields, given...)
			line.Write(context.Background(), log, time.Now(), slog.LevelInfo, "request")
		}
	})
	b.Run("slog", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r := slog.NewRecord(time.Now(), slog.LevelInfo, "request", 0)
			r.AddAttrs(attrs...)
			_ = log.Handler().Handle(context.Background(), r)
		}
	})
}
