package dashboards

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// functions are those that queries use. A misspelt one is none of them.
var functions = []string{"sum", "max", "min", "count", "rate", "increase", "histogram_quantile", "time", "absent", "max_over_time", "min_over_time", "changes"}

// problems returns what is wrong with expr, whichever file it stands in: names that do not exist,
// counters without a rate, rates of what does not count.
func (v vocabulary) problems(expr string) []string {
	q, err := read(expr)
	if err != nil {
		return []string{err.Error()}
	}
	var found []string
	say := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	for _, function := range q.functions {
		if !slices.Contains(functions, function) {
			say("function %s is none that is used here", function)
		}
	}
	for _, s := range q.selectors {
		f, known := v[s.metric]
		if !known {
			say("metric %s does not exist", s.metric)
			continue
		}
		for _, m := range s.matchers {
			found = append(found, f.mismatch(s.metric, m)...)
		}
		rated := s.function == "rate" || s.function == "increase"
		ranged := rated || s.function == "changes" || strings.HasSuffix(s.function, "_over_time")
		switch {
		case f.counter && !rated:
			say("counter %s needs a rate or an increase", s.metric)
		case !f.counter && rated:
			say("%s is no counter, so %s says nothing", s.metric, s.function)
		case ranged != (s.window != ""):
			say("%s has a window only if a function takes one", s.metric)
		}
	}
	for _, g := range q.groupings {
		for _, label := range g.labels {
			for _, s := range g.over {
				if f, known := v[s.metric]; known && !f.has(label) {
					say("metric %s has no label %s to group by", s.metric, label)
				}
			}
		}
	}
	return found
}

var (
	plain  = regexp.MustCompile(`^[a-z_]+$`)
	dollar = regexp.MustCompile(`^\$\w+$`)
)

// mismatch returns what is wrong with a matcher: a label that the metric has not, a bucket that it
// has not, or a word that is not among the values its help text lists.
func (f family) mismatch(metric string, m matcher) []string {
	if !f.has(m.label) {
		return []string{fmt.Sprintf("metric %s has no label %s", metric, m.label)}
	}
	if dollar.MatchString(m.value) || slices.Contains(target, m.label) {
		return nil
	}
	if m.label == "le" {
		if !slices.Contains(f.buckets, m.value) {
			return []string{fmt.Sprintf("metric %s has no bucket %s", metric, m.value)}
		}
		return nil
	}
	_, values, isListed := strings.Cut(f.help, m.label+": ")
	var found []string
	for _, value := range strings.Split(m.value, "|") {
		word := regexp.MustCompile(`\b` + regexp.QuoteMeta(value) + `\b`)
		if plain.MatchString(value) && isListed && !word.MatchString(values) {
			found = append(found, fmt.Sprintf("label %s of %s is never %s", m.label, metric, value))
		}
	}
	return found
}

func TestProblems(t *testing.T) {
	known := metrics(t)
	known["job:recorded:rate5m"] = family{labels: []string{"job"}}
	for _, test := range []struct{ name, expr, want string }{
		{"nothing", `sum by (site, code) (rate(portico_upstream_requests_total{cause="client",code=~"5.."}[5m]))`, ""},
		{"a recorded series", `job:recorded:rate5m{job=~"$job"} > 0.1`, ""},
		{"the worst of a gauge", `max(max_over_time(portico_site_up[5m]))`, ""},
		{"the turns of a gauge", `changes(portico_site_up[5m]) > 2`, ""},
		{"a misspelt metric", `sum(portico_session_active)`, "metric portico_session_active does not exist"},
		{"a misspelt function", `summ(portico_sessions_active)`, "function summ is none that is used here"},
		{"a misspelt label", `portico_site_up{sit="a"}`, "metric portico_site_up has no label sit"},
		{"a wrong grouping label", `sum by (code_class) (rate(portico_upstream_requests_total[5m]))`,
			"metric portico_upstream_requests_total has no label code_class to group by"},
		{"a value that is never there", `rate(portico_logins_total{outcome=~"ok|failed"}[5m])`, "label outcome of portico_logins_total is never failed"},
		{"a bound between buckets", `rate(portico_http_request_duration_seconds_bucket{le="0.3"}[5m])`,
			"metric portico_http_request_duration_seconds_bucket has no bucket 0.3"},
		{"le of the wrong series", `sum by (le) (rate(portico_http_request_duration_seconds_count[5m]))`,
			"metric portico_http_request_duration_seconds_count has no label le to group by"},
		{"a bare counter", `sum(portico_logins_total)`, "counter portico_logins_total needs a rate or an increase"},
		{"the rate of a gauge", `rate(portico_site_up[5m])`, "portico_site_up is no counter, so rate says nothing"},
		{"a gauge with a window", `max(portico_site_up[5m])`, "portico_site_up has a window only if a function takes one"},
		{"a rate without a window", `rate(portico_logins_total)`, "portico_logins_total has a window only if a function takes one"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := strings.Join(known.problems(test.expr), "; "); got != test.want {
				t.Errorf("problems(%s) = %q; want %q", test.expr, got, test.want)
			}
		})
	}
}
