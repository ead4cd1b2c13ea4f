package dashboards

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// scaled returns the rules at a sixtieth of their durations: windows, what must last, and the one time
// span that an expression compares with. What they record keeps its name.
func scaled(t *testing.T) ruleBook {
	t.Helper()
	const stale, soon = "unproven_since_timestamp_seconds > 600", "unproven_since_timestamp_seconds > 10"
	book := rulebook(t)
	spans := 0
	for g := range book.Groups {
		rules := book.Groups[g].Rules
		for i := range rules {
			r := &rules[i]
			spans += strings.Count(r.Expr, stale)
			r.Expr = window.ReplaceAllStringFunc(strings.ReplaceAll(r.Expr, stale, soon), func(found string) string {
				return "[" + sixtieth(strings.Trim(found, "[]")) + "]"
			})
			r.For = sixtieth(r.For)
		}
	}
	if spans != 1 {
		t.Fatalf("%d rules compare with ten minutes; want the one on catalogues", spans)
	}
	return book
}

// window is that of a range in an expression.
var window = regexp.MustCompile(`\[\w+\]`)

// sixtieth returns a sixtieth of one of Prometheus' durations: as many of the next smaller unit.
func sixtieth(duration string) string {
	if duration == "" {
		return ""
	}
	number, err := strconv.Atoi(duration[:len(duration)-1])
	if err != nil {
		panic("dashboards: a duration of several units: " + duration)
	}
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}
	short := time.Duration(number) * units[duration[len(duration)-1]] / 60
	return strconv.FormatInt(short.Milliseconds(), 10) + "ms"
}

func TestScaled(t *testing.T) {
	for duration, want := range map[string]string{"": "", "5m": "5000ms", "1h": "60000ms", "3d": "4320000ms", "30s": "500ms"} {
		if got := sixtieth(duration); got != want {
			t.Errorf("sixtieth(%q) = %q; want %q", duration, got, want)
		}
	}
	for _, group := range scaled(t).Groups {
		for _, r := range group.Rules {
			if strings.Contains(r.Expr, "m]") || strings.Contains(r.Expr, "h]") || strings.Contains(r.Expr, "d]") {
				t.Errorf("%s%s was not scaled: %s", r.Record, r.Alert, r.Expr)
			}
		}
	}
}
