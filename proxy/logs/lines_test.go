package logs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"testing"
	"time"
)

// both returns a log as New makes it, and one that slog writes, and what each has written.
func both() (ours, theirs *slog.Logger, written func() (ours, theirs string)) {
	var here, there bytes.Buffer
	options := &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: withoutSecrets}
	return slog.New(newLines(&here, slog.LevelDebug)), slog.New(slog.NewJSONHandler(&there, options)), func() (string, string) {
		defer here.Reset()
		defer there.Reset()
		return here.String(), there.String()
	}
}

func TestLinesAreThoseOfSlog(t *testing.T) {
	ours, theirs, written := both()
	at := []time.Time{time.Now(), time.Now().UTC(), time.Unix(0, 0), time.Unix(1, 120_000_000).In(time.FixedZone("", 5400)), {},
		time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)}
	all := [][]slog.Attr{
		nil,
		{slog.String("route", "/api/v2/me"), slog.Int("code", 200), slog.Float64("duration_s", 0.000123), slog.Int("bytes_out", 0)},
		{slog.String("password", "canary"), slog.String("Set-Cookie", "canary")},
		{slog.String("quoted", `"\`), slog.String("lines", "a\nb\x00"), slog.String("ümlaut", "ü\u2028\xff<&>")},
		{slog.Int64("least", math.MinInt64), slog.Uint64("most", math.MaxUint64), slog.Bool("it is", true), slog.Any("cause", errors.New("broken"))},
		{slog.Group("", slog.String("in", "line"), slog.Int("token", 3), slog.String("token", "canary")), slog.Group("named", slog.Int("a", 1))},
		{slog.Group(""), slog.Group("", slog.Any("x", []int{1})), {}, slog.String("", "x"), slog.Duration("d", 3), slog.Time("t", time.Unix(3, 0))},
	}
	for _, f := range []float64{0, 1, -1.5, 1e-6, 9.9e-7, 1e20, 1e21, 1e-9, math.Inf(1), math.NaN(), 0.1 + 0.2, math.Copysign(0, -1)} {
		all = append(all, []slog.Attr{slog.Float64("f", f)})
	}
	for _, attrs := range all {
		for _, when := range at {
			for _, message := range []string{"request", `a "quoted" one`} {
				for _, change := range []func(slog.Handler) slog.Handler{
					func(h slog.Handler) slog.Handler { return h },
					func(h slog.Handler) slog.Handler { return h.WithAttrs([]slog.Attr{slog.Int("with", 1)}) },
					func(h slog.Handler) slog.Handler { return h.WithGroup("g") },
				} {
					r := slog.NewRecord(when, slog.LevelInfo+1, message, 0)
					r.AddAttrs(attrs...)
					_, _ = change(ours.Handler()).Handle(context.Background(), r), change(theirs.Handler()).Handle(context.Background(), r)
					if got, want := written(); got != want {
						t.Errorf("%v at %v is written\n%swant\n%s", attrs, when, got, want)
					}
				}
			}
		}
	}
}

func FuzzLines(f *testing.F) {
	f.Add("request", "route", "/me", int64(200), 0.25, int64(1))
	f.Add("", "password", "x", int64(-1), 1e-7, int64(0))
	f.Add("a\"b", "k\n", "\xff\u2029<", int64(0), 1e21, int64(-1<<62))
	ours, theirs, written := both()
	f.Fuzz(func(t *testing.T, message, key, text string, number int64, float float64, at int64) {
		r := slog.NewRecord(time.Unix(at>>20, at), slog.Level(number%20), message, 0)
		r.AddAttrs(slog.String(key, text), slog.Int64(key, number), slog.Group("", slog.Float64(text, float), slog.String(text, key)))
		_, _ = ours.Handler().Handle(context.Background(), r), theirs.Handler().Handle(context.Background(), r)
		if got, want := written(); got != want {
			t.Errorf("written\n%swant\n%s", got, want)
		}
	})
}

// BenchmarkLine writes the record of a request as we do and as slog does.
func BenchmarkLine(b *testing.B) {
	attrs := []slog.Attr{slog.String("request_id", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"), slog.String("api", "me"), slog.String("route", "/api/v2/me/status-messages"),
		slog.String("method", "GET"), slog.Int("code", 200), slog.Float64("duration_s", 0.000123456), slog.Int("bytes_out", 7000),
		slog.String("operation", "status_messages"), slog.Int("api_status", 0), slog.String("session", "0123abcd"), slog.String("site", "pureconnect"), slog.String("cache_result", "hit")}
	for name, h := range map[string]slog.Handler{
		"ours": newLines(io.Discard, slog.LevelInfo), "slog": slog.NewJSONHandler(io.Discard, &slog.HandlerOptions{ReplaceAttr: withoutSecrets}),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := slog.NewRecord(time.Now(), slog.LevelInfo, "request", 0)
				r.AddAttrs(slog.Attr{Value: slog.GroupValue(attrs...)})
				_ = h.Handle(context.Background(), r)
			}
		})
	}
}
