package htccsim

import (
	"bytes"
	"cmp"
	"net/http"
	"strings"

	"portico/translate/htccapi"
)

// alteration is how an answer differs from the right one, which is given otherwise.
type alteration struct {
	dropsChannels bool
	emptyCookie   bool
	bigHeader     bool
}

// bigHeader is how much a server may go mad in its header.
const bigHeader = 8 << 20 // bytes

// alters sets the call up for those scenarios whose answer is the right one in another form. The
// returned bool says that this is one of them.
func (c *call) alters(scenario string) bool {
	switch scenario {
	case dialectA:
		c.dialect = htccapi.DialectStatus
	case dialectB:
		c.dialect = htccapi.DialectStatusCode
	case stringCodes:
		c.stringCodes = true
	case missingChannels:
		c.alter.dropsChannels = true
	case emptyCookie:
		c.alter.emptyCookie = true
	case hugeHeaders:
		c.alter.bigHeader = true
	default:
		return false
	}
	return true
}

// headers spoils the header of an answer.
func (alter alteration) headers(answer *reply) {
	if alter.emptyCookie {
		answer.header.Set("Set-Cookie", htccapi.CookieSession+"=; Path=/; HttpOnly")
	}
	if alter.bigHeader {
		const line = 4096
		for range bigHeader / line {
			answer.header.Add("X-Padding", strings.Repeat("x", line))
		}
	}
}

// captured takes an answer down instead of sending it.
type captured struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header returns the header to be sent.
func (w *captured) Header() http.Header { return w.header }

// WriteHeader keeps the first status.
func (w *captured) WriteHeader(status int) { w.status = cmp.Or(w.status, status) }

// Write keeps b.
func (w *captured) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}
