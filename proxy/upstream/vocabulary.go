package upstream

import (
	"net/http"
	"strconv"
	"strings"
)

// other is what every vocabulary folds unknown values to.
const other = "other"

// An Avoided says why a call that a caller asked for was not sent.
type Avoided string

// The reasons for not sending a call.
const (
	CacheHit      Avoided = "cache_hit"      // answered from the cache, proven fresh
	StaleHit      Avoided = "stale_hit"      // answered from the cache, not proven
	LiveState     Avoided = "live_state"     // answered from state that a reader keeps
	Coalesced     Avoided = "coalesced"      // joined a call that was under way
	SessionReused Avoided = "session_reused" // credentials found their session: no log-in
	PushFanout    Avoided = "push_fanout"    // a held connect, answered from the shared reader
)

// A LoginOutcome is how a log-in ended.
type LoginOutcome string

// The outcomes of a log-in. Reused and limited ones were never sent.
const (
	LoginOK      LoginOutcome = "ok"
	LoginReused  LoginOutcome = "reused"  // credentials found their session
	LoginRefused LoginOutcome = "refused" // the site refused the credentials
	LoginLimited LoginOutcome = "limited" // refused by our own limits
	LoginError   LoginOutcome = "error"   // the site could not say
)

// A Transport is how a reader receives.
type Transport string

// The transports of readers.
const (
	SSE    Transport = "sse"
	Poll   Transport = "poll"
	CometD Transport = "cometd"
)

// A StreamEvent is something that happens to a reader.
type StreamEvent string

// The events of readers.
const (
	Opened   StreamEvent = "opened"
	Broken   StreamEvent = "broken"
	Resynced StreamEvent = "resynced" // after a break, the subscriptions stand again
)

// The states of a reader.
const (
	stateLive   = "live"
	stateBroken = "broken"
)

// A reason says why an attempt brought no usable answer.
type reason string

const (
	reasonDNS      reason = "dns"
	reasonConnect  reason = "connect"
	reasonTLS      reason = "tls"
	reasonTimeout  reason = "timeout"
	reasonReset    reason = "reset"
	reasonCanceled reason = "canceled" // the caller left, or their body broke off
	reasonBody     reason = "body"     // too long, headers included, or not readable to its end
	reasonOther    reason = other
)

var (
	reasons     = []reason{reasonDNS, reasonConnect, reasonTLS, reasonTimeout, reasonReset, reasonCanceled, reasonBody, reasonOther}
	avoidances  = []Avoided{CacheHit, StaleHit, LiveState, Coalesced, SessionReused, PushFanout, other}
	outcomes    = []LoginOutcome{LoginOK, LoginReused, LoginRefused, LoginLimited, LoginError, other}
	transports  = []Transport{SSE, Poll, CometD, other}
	streamState = []string{stateLive, stateBroken}
	events      = []StreamEvent{Opened, Broken, Resynced, other}
)

// list writes a vocabulary for a metric's help text.
func list[T ~string](values []T) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = string(v)
	}
	return strings.Join(texts, ", ")
}

// codeLabel returns the label of an HTTP status: itself if registered, "none" for 0.
func codeLabel(status int) string {
	switch {
	case status == 0:
		return "none"
	case http.StatusText(status) == "":
		return other
	default:
		return codes[status]
	}
}

// codes are made once: each call needs one.
var codes = func() (all [600]string) {
	for code := range all {
		all[code] = strconv.Itoa(code)
	}
	return all
}()

// classLabel returns the class of an HTTP status, "none" for 0 and for what is outside 2xx to 5xx.
func classLabel(status int) string {
	switch status / 100 {
	case 2:
		return "2xx"
	case 3:
		return "3xx"
	case 4:
		return "4xx"
	case 5:
		return "5xx"
	}
	return "none"
}
