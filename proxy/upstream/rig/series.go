package rig

import (
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Series calls yield with every series of the families that are wanted, in no order. That is what
// Registry.Gather returns but for its sorting, and its holding all series to each other: of tests
// that ask for one number again and again, those take most of the time.
func Series(t testing.TB, reg *prometheus.Registry, wanted func(family string) bool, yield func(family string, series *dto.Metric)) {
	t.Helper()
	metrics := make(chan prometheus.Metric, 100)
	go func() {
		defer close(metrics)
		reg.Collect(metrics)
	}()
	for metric := range metrics {
		family := familyOf(metric.Desc())
		if !wanted(family) {
			continue
		}
		series := &dto.Metric{}
		err := metric.Write(series)
		if err != nil {
			t.Errorf("%s: %v", family, err)
			continue
		}
		yield(family, series)
	}
}

// families are the names of those that were seen: to ask a Desc for its name takes longer.
var families sync.Map // *prometheus.Desc to string

func familyOf(desc *prometheus.Desc) string {
	if name, known := families.Load(desc); known {
		return name.(string)
	}
	_, name, _ := strings.Cut(desc.String(), `fqName: "`)
	name, _, _ = strings.Cut(name, `"`)
	families.Store(desc, name)
	return name
}
