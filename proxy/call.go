package proxy

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"portico/proxy/fault"
	"portico/proxy/gateway"
	"portico/proxy/native"
	"portico/proxy/tracing"
	"portico/translate/htccapi"
)

// A call is one request on its way through the door. One goroutine uses it.
type call struct {
	*gin.Context
	door    *door
	dialect htccapi.Dialect
	native  bool // errors are answered as ICWS does, in place of a dialect
	began   time.Time
	id      string // of the request
	span    tracing.Span

	place     place          // while it is worked on
	presented string         // the login name that came with the request, "" if none did
	sites     string         // that a log-in which failed was for, or that ICWS is passed through to
	agent     *gateway.Agent // nil before log-in, and where none is needed
	lasting   http.Header    // of an answer that is passed through, for when an interim one has cleared it
	cookie    sessionCookie  // what an answer without error does to the session's cookie

	operation operation
	asked     htccapi.Operation // the operationName of a POST, "" before it was read
	numbers   *endpoint
	verdict   int           // statusCode, in either dialect
	looked    string        // what became of looking into the cache, "" if nobody did
	errorID   string        // of an error of an ICWS site that is passed through, "" if it named none
	left      bool          // the caller left, or made a newer request in place of this one
	head      time.Duration // until the head of an answer that is passed through, as took of its record; 0 if none is
	delayed   time.Duration // how long the answer was kept back, which is no time of ours
	later     bool          // it ends when its handler has returned, and somebody else says so
}

// context returns the request's own context: gin's is used for another request afterwards.
func (c *call) context() context.Context { return c.Request.Context() }

// raw is an answer that is encoded already, or has no body. Its handler sets the headers.
type raw struct {
	status int
	body   []byte
	kind   []string // Content-Type; nil means JSON
	sent   bool     // the handler has written it
}

// codeClientGone is what is counted and logged, and sent to nobody, when the caller left.
const codeClientGone = 499

// Headers that are the same in many answers. They are shared, and nobody changes them.
var (
	headerJSON = []string{"application/json;charset=UTF-8"}
	headerICWS = []string{native.ContentType}
)

// handle gives every route the same course: one answer, one count, one log record.
func (d *door) handle(h handler, dialect htccapi.Dialect, op operation, numbers *endpoint) gin.HandlerFunc {
	return func(gc *gin.Context) {
		c := &call{Context: gc, door: d, dialect: dialect, began: time.Now(), operation: op, numbers: numbers, id: requestID(gc.GetHeader("X-Request-Id"))}
		d.metrics.requestsInFlight.Inc()
		defer d.metrics.requestsInFlight.Dec()
		defer c.place.leave()
		c.trace()
		header := c.Writer.Header()
		header["X-Request-Id"] = []string{c.id}
		c.protect()
		if d.settings.Draining() {
			header.Set("Connection", "close")
		}
		answer, err := c.run(c.allowOrigin(h))
		if err != nil && c.unanswered(err) {
			c.breakOff(err)
		}
		if err != nil {
			answer = c.fail(err)
		}
		if !answer.sent {
			c.setCookie()
		}
		c.place.leave() // how long the caller takes to read is their affair
		if !answer.sent {
			c.send(answer)
		}
		if !c.later {
			c.end(err)
		}
	}
}

// run calls the handler and encodes what it returns. A panic becomes an error; nothing is written
// by then.
func (c *call) run(h handler) (answer raw, err error) {
	defer func() {
		panicked := recover()
		if panicked == http.ErrAbortHandler {
			panic(panicked) // net/http is to break the connection off
		}
		if panicked != nil {
			err = fmt.Errorf("proxy: %w", fault.OfPanic(panicked))
		}
	}()
	err = c.checkSize()
	if err != nil {
		return raw{}, err
	}
	reply, err := h(c)
	if err != nil && c.agent != nil {
		err = c.agent.BrokenOff(c.context(), err)
	}
	if err != nil {
		return raw{}, c.stopping(err)
	}
	encoded, isRaw := reply.(raw)
	if isRaw {
		return encoded, nil
	}
	return encode(http.StatusOK, reply)
}

// stopping returns why a call failed: because Portico stops, if that cut its body off, else err.
func (c *call) stopping(err error) error {
	if !c.paced().cutOff() {
		return err
	}
	return fmt.Errorf("proxy: stopping before the body has come: %w: %w", fault.Overloaded, err)
}

func encode(status int, reply any) (raw, error) {
	body, err := json.Marshal(reply)
	if err != nil {
		return raw{}, fmt.Errorf("proxy: encode an answer: %w", err)
	}
	return raw{status: status, body: body}, nil
}

// fail returns the answer for an error, whatever headers the handler had set.
func (c *call) fail(err error) raw {
	c.verdict = fault.Code(err)
	header := c.Writer.Header()
	c.protect()
	after := fault.RetryAfter(err)
	if after > 0 {
		header.Set("Retry-After", strconv.Itoa(int((after+time.Second-1)/time.Second)))
	}
	if c.native {
		return raw{status: fault.Status(err), body: native.Failure(err), kind: headerICWS}
	}
	answer, err := encode(fault.Status(err), failure(c.dialect, err))
	if err != nil {
		panic("proxy: texts and numbers cannot fail to encode: " + err.Error())
	}
	return answer
}

// send writes the answer. That fails only if the caller is gone.
func (c *call) send(answer raw) {
	header := c.Writer.Header()
	if answer.body != nil {
		header["Content-Type"] = headerJSON
		if answer.kind != nil {
			header["Content-Type"] = answer.kind
		}
		header["Content-Length"] = []string{strconv.Itoa(len(answer.body))}
	}
	c.Writer.WriteHeader(answer.status)
	c.Writer.WriteHeaderNow()
	if answer.body != nil && c.Request.Method != http.MethodHead {
		_, _ = c.Writer.Write(answer.body)
	}
}

// paced returns what keeps the caller to the pace, nil if nothing does.
func (c *call) paced() *pacedWriter {
	wrapped, _ := c.Writer.(interface{ Unwrap() http.ResponseWriter }) // the router's writer
	if wrapped == nil {
		return nil
	}
	paced, _ := wrapped.Unwrap().(*pacedWriter)
	return paced
}

// headCame notes that the answer began to be passed through. What follows takes as long as it is long.
func (c *call) headCame() {
	c.head = max(1, time.Since(c.began)-c.delayed-c.paced().slowness())
}

// end counts and logs the call. How long its caller took to send and to read is no time of ours.
func (c *call) end(err error) {
	r := c.record()
	r.took = c.head
	r.delayed += c.paced().slowness()
	r.code, r.bytesOut, r.err = c.Writer.Status(), max(c.Writer.Size(), 0), err
	if c.left || err != nil && c.context().Err() != nil && !c.paced().gaveUp() {
		r.code = codeClientGone
	}
	c.door.ended(r)
}

// ended counts and logs a call that has ended, and ends its span.
func (d *door) ended(r record) {
	r.over = time.Now()
	if r.took == 0 {
		r.took = max(0, r.over.Sub(r.began)-r.delayed)
	}
	r.numbers.count(r.code, r.took, r.span.TraceID())
	d.metrics.answered(r.operation, r.verdict)
	d.write(r)
	d.endTrace(r)
}
