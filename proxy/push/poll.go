package push

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// writeWait is how long a caller may take to accept what is written. Without a limit, a connection
// that died unnoticed would keep its client's events.
const writeWait = 10 * time.Second

// jsonType is the type of the replies, spelt as CometD spells it.
const jsonType = "application/json;charset=UTF-8"

// retryAfter is askAgain as HTTP has it.
var retryAfter = strconv.Itoa(int(askAgain / time.Second))

// Serve answers one request on behalf of owner: long-polling, or the start of a websocket if
// Options offer that. It may take as long as a connect is held. Every path leads here alike: what
// follows the configured one is a habit of some clients and says nothing.
//
// The request has been answered when Serve returns. The error tells whoever counts requests that it
// did not end as its status says: ErrReplaced for a connect whose place a newer one took (500, as
// CometD has it), ErrLeft when the caller went away before.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request, owner string) error {
	return s.serve(w, r, owner, func(Ending) {}, false)
}

// ServeUntil is Serve, and calls over once there is nothing left to serve: at its own end, or when it has
// returned, at that of a websocket or of a connect that is parked. Of the latter it returns ErrParked.
func (s *Server) ServeUntil(w http.ResponseWriter, r *http.Request, owner string, over func(Ending)) error {
	return s.serve(w, r, owner, over, s.opts.Returns != nil)
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, owner string, over func(Ending), mayPark bool) error {
	if s.opts.WebSocket && isUpgrade(r) {
		s.serveSocket(w, r, owner, over)
		return nil
	}
	x, woken, err := s.begin(w, r, owner)
	if err == nil && x.parked && mayPark && s.park(w, r, x, over) {
		return ErrParked
	}
	defer over(Ending{})
	if err != nil {
		refuse(w, err)
		return nil
	}
	return s.waitFor(w, r, x, woken)
}

// begin reads a request and answers its messages. If its connect is held, woken is closed when that is to
// be answered.
func (s *Server) begin(w http.ResponseWriter, r *http.Request, owner string) (x *exchange, woken chan struct{}, err error) {
	batch, err := s.read(w, r)
	if err != nil {
		return nil, nil, err
	}
	woken = make(chan struct{})
	x = &exchange{
		owner:     owner,
		transport: longPolling,
		browser:   browserOf(r),
		limit:     s.opts.sessionsPerBrowser(r.ProtoMajor >= 2),
		wake:      func() { close(woken) },
	}
	s.handle(x, batch)
	return x, woken, nil
}

// waitFor answers x, once it is woken if its connect is held.
func (s *Server) waitFor(w http.ResponseWriter, r *http.Request, x *exchange, woken chan struct{}) error {
	if x.parked {
		select {
		case <-woken:
		case <-r.Context().Done():
		}
	}
	if r.Context().Err() != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.abandonLocked(x.connect)
		return ErrLeft
	}
	return s.finish(w, x)
}

// finish writes the answer of x.
func (s *Server) finish(w http.ResponseWriter, x *exchange) error {
	body, err := s.compose(x)
	if x.last {
		w.Header().Set("Connection", "close")
	}
	switch {
	case errors.Is(err, errAsk):
		w.Header().Set("Retry-After", retryAfter)
		w.WriteHeader(http.StatusServiceUnavailable)
		return nil
	case err != nil:
		w.WriteHeader(http.StatusInternalServerError)
		return err
	}
	header := w.Header()
	header.Set("Content-Type", jsonType)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	if x.newBrowser {
		http.SetCookie(w, s.cookie(x.browser))
	}
	err = write(w, body)
	s.settle(x, err == nil)
	if err != nil {
		return ErrLeft
	}
	return nil
}

// cookie returns the cookie of a browser.
//
// Source: CometD 3.1, AbstractHttpTransport.setBrowserId.
func (s *Server) cookie(browser string) *http.Cookie {
	return &http.Cookie{Name: browserCookie, Value: browser, Path: "/", HttpOnly: true, Secure: s.opts.Secure}
}

// write sends body and sees to it that it leaves: what stays in a buffer may be lost unnoticed. A
// writer that knows no deadlines is taken as it is.
func write(w http.ResponseWriter, body []byte) error {
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Now().Add(writeWait))
	_, err := w.Write(body)
	if err != nil {
		return err
	}
	err = flush(w)
	if err != nil {
		return err
	}
	_ = control.SetWriteDeadline(time.Time{}) // the connection goes on to its next request
	return nil
}

// flush flushes w and every writer that it wraps: a wrapper's Flush may have no error to return.
func flush(w http.ResponseWriter) error {
	err := http.NewResponseController(w).Flush()
	for {
		wrapper, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if err != nil || !ok {
			break
		}
		w = wrapper.Unwrap()
		err = http.NewResponseController(w).Flush()
	}
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}

// refuse answers a request without a usable batch.
func refuse(w http.ResponseWriter, err error) {
	bad, ok := errors.AsType[*badRequest](err)
	if !ok {
		panic("push: read fails with a badRequest alone: " + err.Error())
	}
	if bad.text == "" {
		w.WriteHeader(bad.status)
		return
	}
	http.Error(w, bad.text, bad.status)
}

// browserOf returns the browser's cookie, "" if there is none or none we would keep. It is only compared, so
// it need not be taken apart as http.Request.Cookie does for each connect.
func browserOf(r *http.Request) string {
	for _, line := range r.Header["Cookie"] {
		browser := BrowserIn(line)
		if browser != "" {
			return browser
		}
	}
	return ""
}

// BrowserIn returns the browser's cookie of those in a header, "" if there is none or none we would keep.
func BrowserIn(cookies string) string {
	for pair := range strings.SplitSeq(cookies, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		if name == browserCookie && len(value) <= longestBrowser {
			return value
		}
	}
	return ""
}

// longestBrowser is how long the value of that cookie is at most, in bytes.
const longestBrowser = 64
