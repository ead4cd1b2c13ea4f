// Package dashboards holds what operators load into Grafana and Prometheus: dashboards, rules,
// alerts and provisioning files. It has no code; its tests hold every query to the metrics and
// labels that Portico's rooms register.
package dashboards
