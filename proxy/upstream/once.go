package upstream

import (
	"context"
	"io"
	"net/http"
)

type onceKey struct{}

// Once returns a context whose request is not sent again once any of it was, though it be a read: what the
// answer brings is gone from the site, and a second answer without it would hide that the first was lost.
func Once(ctx context.Context) context.Context { return context.WithValue(ctx, onceKey{}, true) }

func isOnce(ctx context.Context) bool { return ctx.Value(onceKey{}) != nil }

// sentOnce has http.Transport keep to that. It repeats a read whose kept connection breaks before an answer
// has come, unless there is a body that it cannot have again: this one is empty.
//
// Source: net/http, Transport.
func sentOnce(req *http.Request) *http.Request {
	if isOnce(req.Context()) && (req.Body == nil || req.Body == http.NoBody) {
		req.Body = struct{ io.ReadCloser }{http.NoBody}
	}
	return req
}
