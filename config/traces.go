package config

import (
	"cmp"
	"net/url"
	"strings"
)

// Traces are about what is recorded of single requests, for a collector.
type Traces struct {
	// Endpoint is the base URL of an OTLP collector that takes protobuf over HTTP. Default none: then
	// nothing is recorded.
	Endpoint string `yaml:"endpoint"`
	// PerThousand is how many of a thousand traces are recorded. Default 10.
	PerThousand Count `yaml:"per_thousand" min:"0" max:"1000"`
}

// TraceContext says whether a site is told which trace a call belongs to.
type TraceContext string

// A site that is sent the context can write it to its own logs, and go on with the trace.
const (
	SendTraceContext TraceContext = "send"
	KeepTraceContext TraceContext = "keep"
)

func (TraceContext) choices() []string {
	return []string{string(SendTraceContext), string(KeepTraceContext)}
}

// completeTraces fills in the default.
func (s *Site) completeTraces() { s.TraceContext = cmp.Or(s.TraceContext, SendTraceContext) }

// checkTraces is about where spans go.
func (c *Config) checkTraces(v *verdict) {
	if c.Traces.Endpoint == "" {
		if v.given("traces.per_thousand") {
			v.warn("traces.per_thousand", "counts for nothing: traces.endpoint names no collector")
		}
		return
	}
	at, err := url.Parse(c.Traces.Endpoint)
	switch {
	case err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" || at.RawQuery != "" || at.Fragment != "":
		v.fault("traces.endpoint", "%q is not the URL of a collector; want one such as http://localhost:4318", c.Traces.Endpoint)
	case strings.HasSuffix(strings.TrimSuffix(at.Path, "/"), "/v1/traces"):
		v.fault("traces.endpoint", "%q is where traces go, which is found below the collector's URL; leave out /v1/traces", c.Traces.Endpoint)
	case at.User != nil:
		v.fault("traces.endpoint", "holds a password; a collector's key goes into OTEL_EXPORTER_OTLP_HEADERS")
	}
}
