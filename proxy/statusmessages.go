package proxy

import (
	"net/http"
	"strconv"
	"time"
)

// Headers of the catalogue that never change.
var (
	headerRevalidate = []string{"private, no-cache"}
	headerByEncoding = []string{"Accept-Encoding"}
	headerGzip       = []string{"gzip"}
	headerStale      = []string{`110 - "Response is Stale"`}
)

// getStatusMessages answers GET /me/status-messages: the catalogue of the agent's ICWS site, or
// 304 if the caller has it.
//
// Source: RFC 9110, 8.8.3 (an encoded form has an ETag of its own) and 15.4.5 (headers of a 304).
func getStatusMessages(c *call) (any, error) {
	request := c.Request.Header
	held := request["If-None-Match"]
	zip := acceptsGzip(request["Accept-Encoding"])
	known := func(etag string) bool { return matches(held, etag) }
	doc, err := c.door.gateway.StatusMessages(c.context(), c.agent, c.dialect, zip, known)
	if err != nil {
		return nil, err
	}
	c.looked = doc.Looked.String()
	header := c.Writer.Header()
	header["Etag"] = []string{doc.ETag}
	revalidated(header)
	if doc.Stale {
		header["Warning"] = headerStale
		header["Age"] = []string{strconv.Itoa(int(doc.Age / time.Second))}
	}
	if doc.Body == nil {
		return raw{status: http.StatusNotModified}, nil
	}
	if doc.Gzip {
		header["Content-Encoding"] = headerGzip
	}
	return raw{status: http.StatusOK, body: doc.Body}, nil
}

// revalidated puts the headers into an answer that never change.
func revalidated(header http.Header) {
	header["Cache-Control"] = headerRevalidate
	header["Vary"] = append(header["Vary"], headerByEncoding...)
}
