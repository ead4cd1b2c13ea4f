package gateway

import (
	"context"

	"portico/proxy/fault"
	"portico/proxy/icws"
	"portico/proxy/tracing"
)

// traced gives each fetch that fills a cache of a site a span.
func traced[T any](tracer *tracing.Tracer, cache, site string, fetch func(context.Context) (*T, error)) func(context.Context) (*T, error) {
	return func(ctx context.Context) (*T, error) {
		ctx, span := tracer.Fetch(ctx, cache, site)
		value, err := fetch(ctx)
		span.End(fault.Class(err))
		return value, err
	}
}

// ErrorID returns the id that an ICWS site gave the error that err wraps, "" if there was none. It is
// for the log alone.
func ErrorID(err error) string { return icws.ErrorID(err) }
