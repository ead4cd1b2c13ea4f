package logs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// An output is what a log has written.
type output struct {
	bytes.Buffer
	queue *Queue
}

// String returns it once all is written.
func (o *output) String() string {
	o.queue.Flush(time.Minute)
	return o.Buffer.String()
}

// newLog returns a log of all levels, and what it writes.
func newLog(s Settings) (*slog.Logger, *output) {
	out := &output{}
	s.Out, s.Level = out, new(slog.LevelVar)
	s.Level.Set(slog.LevelDebug)
	log, queue := New(s)
	out.queue = queue
	return log, out
}

// lines returns what was written, as maps.
func lines(t *testing.T, out *output) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(out.String()) {
		one := map[string]any{}
		err := json.Unmarshal([]byte(line), &one)
		if err != nil {
			t.Fatalf("%q is no JSON: %v", line, err)
		}
		all = append(all, one)
	}
	return all
}

func TestSecretsAreWithheld(t *testing.T) {
	log, out := newLog(Settings{})
	request := httptest.NewRequest(http.MethodGet, "/icws/canary/x?token=canary", strings.NewReader("canary"))
	request.SetBasicAuth("anna", "canary")
	request.AddCookie(&http.Cookie{Name: "JSESSIONID", Value: "canary"})
	address, _ := url.Parse("https://anna:canary@ic1.example/icws/canary")
	for _, secret := range []any{
		slog.String("password", "canary"), slog.String("Authorization", "Basic canary"), slog.String("Set-Cookie", "canary"),
		slog.String("session_id", "canary"), slog.String("ININ-ICWS-CSRF-Token", "canary"), slog.String("X-CSRF-Token", "canary"),
		slog.Any("body", "canary"), slog.Any("request", request), slog.Any("sent", request.Header), slog.Any("it", request.Cookies()),
		slog.Any("url", address), slog.Any("text", []byte("canary")), slog.Group("of", slog.String("token", "canary")),
	} {
		log.Info("look", secret)
		log.With(secret).Error("look")
	}
	if text := out.String(); strings.Contains(text, "canary") {
		t.Errorf("a canary is in the log:\n%s", text)
	}
	log.Info("look", "site", "pureconnect", "count", 3, "cause", errors.New("broken").Error(), "tokens", 3)
	want := map[string]any{"level": "INFO", "msg": "look", "site": "pureconnect", "count": 3.0, "cause": "broken", "tokens": 3.0}
	written := lines(t, out)
	got := written[len(written)-1]
	delete(got, "time")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what is no secret (-want +got):\n%s", diff)
	}
}

func TestRepeatedWarningsAreLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, out := newLog(Settings{Each: []string{"request"}})
		written := func() int { return len(lines(t, out)) }
		for range 100 {
			log.Warn("the reader broke", "site", "pureconnect")
		}
		if got := written(); got != inWindow {
			t.Errorf("%d of 100 warnings are written; want %d", got, inWindow)
		}
		for range 100 {
			log.Warn("request")
			log.Info("serving")
		}
		if got := written(); got != inWindow+200 {
			t.Errorf("%d lines; want all of what happened once each and of what is no warning", got)
		}
		log.Warn("the reader broke", "site", "elsewhere")
		log.With("site", "a third").Warn("the reader broke")
		log.Error("the reader broke", "site", "pureconnect")
		if got := written(); got != inWindow+203 {
			t.Errorf("%d lines; want those of other sites and of another level too", got)
		}
		time.Sleep(window)
		log.Warn("the reader broke", "site", "pureconnect")
		log.Warn("the reader broke", "site", "pureconnect")
		all := lines(t, out)
		if got := all[len(all)-2]["left_out"]; got != 90.0 {
			t.Errorf("the next warning says that %v were left out; want 90", got)
		}
		if got, told := all[len(all)-1]["left_out"]; told {
			t.Errorf("the one after says that %v were left out; want nothing", got)
		}
	})
}

func TestKindsOfWarningsAreBounded(t *testing.T) {
	s := &seen{kinds: map[kind]*counted{}}
	for i := range 10 * maxKinds {
		s.count(kind{message: string(rune(i))}, time.Now())
	}
	if len(s.kinds) > maxKinds {
		t.Errorf("%d kinds are kept; want at most %d", len(s.kinds), maxKinds)
	}
}

func TestLinesAreCounted(t *testing.T) {
	reg := prometheus.NewRegistry()
	log, out := newLog(Settings{Registerer: reg})
	want := func(when, counts string) {
		t.Helper()
		out.queue.Flush(time.Minute)
		var series strings.Builder
		series.WriteString("# HELP portico_log_messages_total Lines written to the log. level: debug, info, warn, error.\n" +
			"# TYPE portico_log_messages_total counter\n")
		for i, level := range []string{"debug", "error", "info", "warn"} {
			series.WriteString("portico_log_messages_total{level=\"" + level + "\"} " + strings.Fields(counts)[i] + "\n")
		}
		err := testutil.GatherAndCompare(reg, strings.NewReader(series.String()), "portico_log_messages_total")
		if err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	want("at first", "0 0 0 0")
	log.Debug("a")
	log.Info("b")
	log.With("site", "x").Error("c")
	log.WithGroup("g").Log(t.Context(), slog.LevelError+4, "d")
	for range inWindow + 5 {
		log.Warn("e")
	}
	want("afterwards", "1 2 1 10")
	if got := len(lines(t, out)); got != 14 {
		t.Errorf("%d lines; want the 14 that are counted", got)
	}
}

func TestRecordsBelongToTheirTrace(t *testing.T) {
	type key struct{}
	log, out := newLog(Settings{Trace: func(ctx context.Context) (string, string, string, bool) {
		return "4bf9", "00f0", "01", ctx.Value(key{}) != nil
	}})
	log.InfoContext(t.Context(), "without")
	log.With("a", 1).InfoContext(context.WithValue(t.Context(), key{}, true), "within")
	written := lines(t, out)
	if _, there := written[0]["trace_id"]; there {
		t.Errorf("a record without a trace is %v", written[0])
	}
	if written[1]["trace_id"] != "4bf9" || written[1]["span_id"] != "00f0" || written[1]["trace_flags"] != "01" {
		t.Errorf("a record of a trace is %v", written[1])
	}
}

func TestLevelMayChange(t *testing.T) {
	out, level := &output{}, new(slog.LevelVar)
	log, queue := New(Settings{Out: out, Level: level})
	out.queue = queue
	log.Debug("before")
	level.Set(slog.LevelDebug)
	log.Debug("after")
	if written := lines(t, out); len(written) != 1 || written[0]["msg"] != "after" {
		t.Errorf("written: %v", written)
	}
}

func TestKeysOfSecretsAreFound(t *testing.T) {
	for key := range secret {
		for _, written := range []string{key, strings.ToUpper(key), strings.Join(strings.Split(key, ""), "-"), "_" + key} {
			if !isSecret(written) {
				t.Errorf("%q is taken for no secret", written)
			}
		}
	}
	for _, key := range []string{"", "tokens", "session", "request_id", "bytes_out", strings.Repeat("x", 100)} {
		if isSecret(key) {
			t.Errorf("%q is taken for a secret", key)
		}
	}
	if got := testing.AllocsPerRun(100, func() { isSecret("X-CSRF-Token") }); got != 0 {
		t.Errorf("%v allocations; want none", got)
	}
}
