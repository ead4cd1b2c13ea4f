package main

import (
	"runtime"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// version is set when a release is built: -ldflags "-X main.version=1.2.3".
var version = "dev"

// countBuild tells which build this is and that its settings were read.
func countBuild(reg prometheus.Registerer) {
	make := promauto.With(reg)
	make.NewGaugeVec(prometheus.GaugeOpts{
		Name: "portico_build_info",
		Help: "Always 1. version: of the release, or dev; revision: of the source; goversion: it was built with.",
	}, []string{"version", "revision", "goversion"}).WithLabelValues(version, revision(), runtime.Version()).Set(1)
	make.NewGauge(prometheus.GaugeOpts{
		Name: "portico_config_last_reload_successful",
		Help: "Whether the last reading of the settings was successful (1) or refused (0).",
	}).Set(1)
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
