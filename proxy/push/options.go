package push

import (
	"cmp"
	"context"
	"encoding/json"
	"net"
	"time"
)

// Options are what a server may be told, under the names and with the defaults of CometD. The zero
// value is a working server. A duration or number that is 0 stands for its default.
//
// Source: CometD reference, "Configuring the Java Server".
type Options struct {
	Timeout     time.Duration // how long a connect is held; default 30s
	Interval    time.Duration // pause the client is advised to make between connects; default none
	MaxInterval time.Duration // from a connect's answer to the client's end unless it connects again; default 10s
	SweepPeriod time.Duration // how often ends are looked for; default 997ms

	// How many connects of one browser, told by its cookie, are held at a time over HTTP/1.1 and
	// HTTP/2; those above are told to poll. Negative means any number. Defaults 1 and -1.
	MaxSessionsPerBrowser      int
	HTTP2MaxSessionsPerBrowser int
	MultiSessionInterval       time.Duration // between such polls; default 2s, negative refuses them

	MetaConnectDeliverOnly bool // events ride on connect replies alone, never on others

	// TrustClientSession finds a client by its clientId alone. Without it the browser's cookie must
	// be that of the handshake too, so a caller without a cookie jar gets nowhere.
	TrustClientSession bool
	AckExtension       bool // events are kept until acknowledged, for clients that ask for it
	WebSocket          bool // offer websocket besides long-polling
	Secure             bool // the browser's cookie is for https alone

	// Origins are patterns of host names whose pages may open a websocket, besides the request's own
	// host; "*" leaves the check to the caller.
	Origins []string

	MaxMessageSize   int // bytes of a request's body; default 64 KiB
	MaxBatch         int // messages in a request; default 50
	MaxSubscriptions int // of one client; default 100
	MaxClients       int // of one owner; default 20
	MaxQueue         int // events waiting for one client; default 1000
	MaxQueueBytes    int // and their size, but for one longer event that finds the others sent; default 1 MiB

	// Handshake reports whether owner may have a client; nil means yes.
	Handshake func(owner string) bool

	// Receive reports whether a message to channel is let in; nil means yes. One that is not is
	// answered as CometD does when an extension deletes it.
	Receive func(owner, channel string) bool

	// Subscribe returns why owner's clients may not subscribe to pattern, a word such as
	// "denied_by_authorizer", or "" if they may; nil means they may. /meta channels are refused anyway.
	Subscribe func(owner, pattern string) string

	// Subscribed is told of every new subscription before it is answered. What it publishes may come
	// with the answer.
	Subscribed func(owner, clientID, pattern string)

	// Publish takes what a client publishes and returns why it may not, or "" if it may; what becomes
	// of data is up to it. nil refuses everything.
	Publish func(owner, channel string, data json.RawMessage) string

	// Panicked is told of a panic while a frame of a socket, or a parked connect, was answered, with its
	// stack. The connection ends. nil lets the panic end the process, for no http.Server is there to catch it.
	Panicked func(error)

	// Returns has connects that are held parked: an http.Server keeps buffers, a request and two
	// goroutines for each. nil leaves them there.
	Returns *Returns

	// Next is given what came on a connection on which a connect was held: the next request, or a part of it or
	// more. It is to read and serve a batch and report true, or to do nothing; then the http.Server has the connection,
	// with what came. It keeps neither. nil leaves all requests to the http.Server.
	Next func(l *Line, came []byte) bool

	// Watch is given the context of a request whose connection is taken over for good, and what is read and written there,
	// and returns who is told of it, nil for nobody. nil tells nobody of any.
	Watch func(context.Context, net.Conn) Watcher

	// Draining reports that connections are to end with what is answered on them from now on; nil means never. It is
	// called under the server's lock.
	Draining func() bool

	// Delivered is told of each event that was written to a client: the label of its channel, and when
	// it was received. It returns the id of a trace that was recorded of that, "" if none was. It is
	// called under the server's lock, and must not call the server. nil records nothing.
	Delivered func(channel string, received time.Time) (trace string)

	// Journal has clients go on at any of the servers that share it; nil keeps them here.
	Journal Journal

	Metrics *Metrics // nil = counted nowhere
}

// withDefaults returns o with its gaps filled.
func (o Options) withDefaults() Options {
	if o.Draining == nil {
		o.Draining = func() bool { return false }
	}
	if o.Delivered == nil {
		o.Delivered = func(string, time.Time) string { return "" }
	}
	o.Timeout = cmp.Or(o.Timeout, 30*time.Second)
	o.MaxInterval = cmp.Or(o.MaxInterval, 10*time.Second)
	o.SweepPeriod = cmp.Or(o.SweepPeriod, 997*time.Millisecond)
	o.MaxSessionsPerBrowser = cmp.Or(o.MaxSessionsPerBrowser, 1)
	o.HTTP2MaxSessionsPerBrowser = cmp.Or(o.HTTP2MaxSessionsPerBrowser, -1)
	o.MultiSessionInterval = cmp.Or(o.MultiSessionInterval, 2*time.Second)
	o.MaxMessageSize = cmp.Or(o.MaxMessageSize, 64<<10)
	o.MaxBatch = cmp.Or(o.MaxBatch, 50)
	o.MaxSubscriptions = cmp.Or(o.MaxSubscriptions, 100)
	o.MaxClients = cmp.Or(o.MaxClients, 20)
	o.MaxQueue = cmp.Or(o.MaxQueue, 1000)
	o.MaxQueueBytes = cmp.Or(o.MaxQueueBytes, 1<<20)
	if o.Metrics == nil {
		o.Metrics = NewMetrics(nil)
	}
	return o
}

// sessionsPerBrowser returns how many connects of one browser are held, negative for any number.
func (o *Options) sessionsPerBrowser(http2 bool) int {
	if http2 {
		return o.HTTP2MaxSessionsPerBrowser
	}
	return o.MaxSessionsPerBrowser
}

// connectionTypes are the transports offered, in order of preference.
func (o *Options) connectionTypes() []string {
	if o.WebSocket {
		return []string{"websocket", "long-polling"}
	}
	return []string{"long-polling"}
}
