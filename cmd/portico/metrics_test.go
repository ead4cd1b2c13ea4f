package main

import (
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"portico/config"
	"portico/proxy/admin/inventory"
)

// metricRow is a row of the table of metrics: name, type, labels, help.
var metricRow = regexp.MustCompile("(?m)^\\| `(portico_[a-z_]+)` \\| ([a-z]+) \\| ([^|]+) \\| ([^|]+) \\|$")

// TestMetricsAreThoseOfTheTable holds the table to what Portico registers, in both directions, and all
// of it to the rules of Prometheus.
func TestMetricsAreThoseOfTheTable(t *testing.T) {
	table, err := os.ReadFile("../../proxy/admin/METRICS.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, row := range metricRow.FindAllStringSubmatch(string(table), -1) {
		listed = append(listed, strings.Join(row[1:], " | "))
	}
	slices.Sort(listed)
	registry := inventory.New()
	buildFor(t, booksIn(io.Discard, io.Discard, registry, registry))
	if diff := cmp.Diff(registered(t, registry), listed); diff != "" {
		t.Errorf("METRICS.md (-registered +table):\n%s", diff)
	}
	problems, err := testutil.GatherAndLint(registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
}

// buildFor builds a house with a site of each kind, and what has metrics beside it.
func buildFor(t *testing.T, b books) {
	t.Helper()
	cfg, err := demoConfig(t.Context(), "", "127.0.0.1:1", "127.0.0.1:2", nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg.TLS, cfg.AdminTLS = config.TLS{}, config.TLS{}
	newCertificateEnds(b.reg)
	_, err = build(cfg, b, nil)
	if err != nil {
		t.Fatal(err)
	}
}

// registered returns name, type, labels and help of each family of ours.
func registered(t *testing.T, registry prometheus.Gatherer) []string {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, family := range families {
		if !strings.HasPrefix(family.GetName(), "portico_") {
			continue
		}
		var labels []string
		for _, label := range family.GetMetric()[0].GetLabel() {
			labels = append(labels, label.GetName())
		}
		slices.Sort(labels)
		text := strings.Join(labels, ", ")
		if text == "" {
			text = "-"
		}
		list = append(list, family.GetName()+" | "+strings.ToLower(family.GetType().String())+" | "+text+" | "+strings.TrimSuffix(family.GetHelp(), "."))
	}
	slices.Sort(list)
	return list
}
