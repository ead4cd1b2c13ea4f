package proxy

import (
	"fmt"
	"net/http"

	"portico/proxy/fault"
)

// Headers that are the same in all answers of ours: nobody is to keep them, frame them, guess what they
// are or learn from where they were asked for. They are shared, and nobody changes them.
var (
	headerNoStore    = []string{"no-store"}
	headerNoSniff    = []string{"nosniff"}
	headerNoContent  = []string{"default-src 'none'; frame-ancestors 'none'"}
	headerNoReferrer = []string{"no-referrer"}
	headerHTTPSAlone = []string{"max-age=31536000"}
)

// protect puts the headers of all answers into this one.
func (c *call) protect() { c.door.protect(c.Writer.Header()) }

func (d *door) protect(header http.Header) {
	header["X-Content-Type-Options"] = headerNoSniff
	header["Cache-Control"] = headerNoStore
	header["Content-Security-Policy"] = headerNoContent
	header["Referrer-Policy"] = headerNoReferrer
	if d.secure {
		header["Strict-Transport-Security"] = headerHTTPSAlone
	}
}

// unprotect takes away what is only for answers of ours: those of a site may be pages, and say
// themselves how they are to be treated. That the host is for https alone stays true.
func (c *call) unprotect() {
	header := c.Writer.Header()
	for _, name := range []string{"X-Content-Type-Options", "Cache-Control", "Content-Security-Policy", "Referrer-Policy"} {
		delete(header, name)
	}
}

// checkSize refuses a request whose line or headers are more than anybody needs. How many bytes they
// are in all net/http has seen to.
func (c *call) checkSize() error {
	s := &c.door.settings
	if len(c.Request.RequestURI) > s.MaxURL {
		return c.tooLarge(fmt.Sprintf("the URL is longer than %d bytes", s.MaxURL))
	}
	if headersOf(c.Request) > s.MaxHeaders {
		return c.tooLarge(fmt.Sprintf("there are more than %d headers", s.MaxHeaders))
	}
	return nil
}

func headersOf(r *http.Request) int {
	n := 0
	for _, values := range r.Header {
		n += len(values)
	}
	return n
}

// tooLarge is an error that comes before the handler that would know in which form to answer it.
func (c *call) tooLarge(text string) error {
	c.native = isNative(c.Request.URL.Path)
	return fault.New(fault.TooLarge, text)
}
