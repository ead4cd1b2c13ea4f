// Package inventory finds out which metrics there are, and with which labels. Only tests import it.
package inventory

import (
	"regexp"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// A Registry makes a series of every vector that is registered with it: one without series is not gathered.
type Registry struct{ *prometheus.Registry }

// New returns a registry in which there is nothing.
func New() Registry { return Registry{prometheus.NewRegistry()} }

// MustRegister implements prometheus.Registerer.
func (r Registry) MustRegister(all ...prometheus.Collector) {
	r.Registry.MustRegister(all...)
	for _, c := range all {
		switch vector := c.(type) {
		case *prometheus.CounterVec:
			vector.WithLabelValues(others(c)...)
		case *prometheus.GaugeVec:
			vector.WithLabelValues(others(c)...)
		case *prometheus.HistogramVec:
			vector.WithLabelValues(others(c)...)
		}
	}
}

// variableLabels finds the names of a vector's labels, which client_golang tells in no other way.
var variableLabels = regexp.MustCompile(`variableLabels: \{([^{}]*)\}\}$`)

// others returns a value for each label of a vector.
func others(vector prometheus.Collector) []string {
	descriptions := make(chan *prometheus.Desc, 1)
	vector.Describe(descriptions)
	values := strings.Split(variableLabels.FindStringSubmatch((<-descriptions).String())[1], ",")
	for i := range values {
		values[i] = "other"
	}
	return values
}
