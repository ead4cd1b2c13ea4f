package cache

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestMetricsAreWellFormed(t *testing.T) {
	reg := prometheus.NewRegistry()
	NewMetrics(reg, "pureconnect", "cloud")
	problems, err := testutil.GatherAndLint(reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("%s: %s", problem.Metric, problem.Text)
	}
}

func TestEverySeriesExistsFromTheStart(t *testing.T) {
	reg := prometheus.NewRegistry()
	NewMetrics(reg, "pureconnect", "cloud")
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, family := range families {
		got[family.GetName()] = len(family.GetMetric())
	}
	want := map[string]int{
		"portico_cache_requests_total":                       3 * 2 * 6, // caches, sites, results
		"portico_cache_sets_total":                           3,
		"portico_cache_removals_total":                       3,
		"portico_cache_size_bytes":                           1,
		"portico_cache_capacity_bytes":                       1,
		"portico_catalogue_fetches_total":                    2 * 3 * 2, // sites, causes, outcomes
		"portico_catalogue_repeat_fetches_total":             2,
		"portico_catalogue_entries":                          2 * 2, // sites, states
		"portico_catalogue_unproven_since_timestamp_seconds": 2,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
}

func TestOnlyTheCatalogueCountsFetches(t *testing.T) {
	for _, test := range []struct {
		cache string
		want  float64
	}{{Catalogue, 1}, {Access, 0}, {Version, 0}} {
		t.Run(test.cache, func(t *testing.T) {
			cell, reg := newCell(t, always("Available"), func(opts *CellOptions[list]) { opts.Cache = test.cache })
			names(t, cell)
			if got := number(t, reg, "portico_catalogue_fetches_total"); got != test.want {
				t.Errorf("catalogue fetches = %v; want %v", got, test.want)
			}
			if got := number(t, reg, "portico_catalogue_entries"); got != test.want {
				t.Errorf("catalogue entries = %v; want %v", got, test.want)
			}
			if got := number(t, reg, "portico_cache_requests_total", "cache", test.cache, "result", "miss"); got != 1 {
				t.Errorf("misses = %v; want 1", got)
			}
		})
	}
}

func TestSiteMetLaterGetsItsSeries(t *testing.T) {
	reg := prometheus.NewRegistry()
	metrics := NewMetrics(reg, "pureconnect")
	metrics.Bypassed(Catalogue, "cloud")
	if got := number(t, reg, "portico_cache_requests_total", "site", "cloud", "result", "bypass"); got != 1 {
		t.Errorf("bypassed = %v; want 1", got)
	}
	if got := number(t, reg, "portico_cache_requests_total", "site", "cloud"); got != 1 {
		t.Errorf("look-ups = %v; want 1", got)
	}
}
