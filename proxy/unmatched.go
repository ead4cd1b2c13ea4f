package proxy

import (
	"fmt"
	"net/http"
	"strings"

	"portico/proxy/fault"
)

// options answers OPTIONS with the methods that a path has.
func options(allowed string) handler {
	return func(c *call) (any, error) {
		c.Header("Allow", allowed)
		return raw{status: http.StatusNoContent}, nil
	}
}

// wrongMethod answers a method that the path does not have. The router has set Allow.
func wrongMethod(c *call) (any, error) {
	return nil, fault.New(fault.WrongMethod, fmt.Sprintf("%s is not allowed here; allowed are %s",
		shorten(c.Request.Method), c.Writer.Header().Get("Allow")))
}

// unknownPath answers a path that nobody serves.
func unknownPath(c *call) (any, error) {
	path := shorten(c.Request.URL.Path)
	return nil, fault.New(fault.NotFound, fmt.Sprintf("there is no %q here", path))
}

// shorten cuts what a stranger sent to what a message can hold.
func shorten(text string) string {
	const longest = 200 // bytes
	if len(text) <= longest {
		return text
	}
	return strings.ToValidUTF8(text[:longest], "") + "..."
}
