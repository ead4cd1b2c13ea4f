package main

import (
	"runtime"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// version is set when a release is built: -ldflags "-X main.version=1.2.3".
var version = "dev"

// countBuild tells which build this is.
func countBuild(reg prometheus.Registerer) {
	promauto.With(reg).NewGaugeVec(prometheus.GaugeOpts{
		Name: "portico_build_info",
		Help: "Always 1. version: of the release, or dev; revision: of the source; goversion: it was built with.",
	}, []string{"version", "revision", "goversion"}).WithLabelValues(version, revision(), runtime.Version()).Set(1)
}

// reloads count how the settings were read.
type reloads struct{ successful, succeeded prometheus.Gauge }

// newReloads registers the metrics, after a first reading that was successful.
func newReloads(reg prometheus.Registerer) reloads {
	with := promauto.With(reg)
	counted := reloads{
		successful: with.NewGauge(prometheus.GaugeOpts{
			Name: "portico_config_last_reload_successful",
			Help: "Whether the last reading of the settings was successful (1) or refused (0).",
		}),
		succeeded: with.NewGauge(prometheus.GaugeOpts{
			Name: "portico_config_last_reload_success_timestamp_seconds",
			Help: "When the settings were last read with success.",
		}),
	}
	counted.count(nil)
	return counted
}

// count counts a reading.
func (r reloads) count(err error) {
	if err != nil {
		r.successful.Set(0)
		return
	}
	r.successful.Set(1)
	r.succeeded.SetToCurrentTime()
}

func revision() string {
	info, _ := debug.ReadBuildInfo()
	if info != nil {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				return setting.Value
			}
		}
	}
	return "unknown"
}
