package proxy

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"portico/translate/htccapi"
)

// A handler answers a call: with something to encode as JSON, a raw answer, or an error.
type handler func(*call) (any, error)

// A resource is a path below a prefix and what can be done with it. HEAD works as GET, and OPTIONS
// tells what does.
type resource struct {
	path      string
	get, post handler
	operation operation // what reading is counted as; a POST by its operationName
}

// resources lists every path that is served, under both prefixes.
func (d *door) resources() []resource {
	return []resource{
		{"/me", d.loggedIn(getMe), d.loggedIn(audited(postMe)), opMe},
		{"/me/devices", d.loggedIn(getDevices), nil, opDevices},
		{"/me/devices/:id", d.loggedIn(getDevice), d.loggedIn(audited(postDevice)), opDevices},
		{"/me/channels", d.loggedIn(getChannels), nil, opChannels},
		{"/me/channels/:channel", d.loggedIn(getChannel), d.loggedIn(audited(postChannel)), opChannels},
		{"/me/status-messages", d.loggedIn(getStatusMessages), nil, opStatusMessages},
		{"/settings/agent-states", d.loggedIn(getAgentStates), nil, opAgentStates},
		{"/diagnostics/version", getVersion, nil, opVersion},
	}
}

// prefixV2 is the prefix of a real server.
const prefixV2 = "/api/v2"

// prefixes are where the resources are served, each with its dialect.
//
// Source: HTCC 8.5.0, Querying agent state (paths without prefix); GWS 8.5.2, ReturnValues.
var prefixes = []struct {
	path    string
	dialect htccapi.Dialect
}{
	{"", htccapi.DialectStatus},
	{prefixV2, htccapi.DialectStatusCode},
}

// route puts the resources into the router.
func (d *door) route(engine *gin.Engine) {
	for _, prefix := range prefixes {
		dialect := d.dialect(prefix.dialect)
		for _, r := range d.resources() {
			path := prefix.path + r.path
			add := func(method string, h handler, op operation) *endpoint {
				numbers := d.metrics.endpoint(apiMe, path, method)
				engine.Handle(method, path, d.handle(h, dialect, op, numbers))
				return numbers
			}
			numbers := add(http.MethodGet, r.get, r.operation)
			if answer := quickly[r.path]; answer != nil && !d.settings.NoQuickRequests && !d.settings.CSRFToken { // all answers tell the token, which is dear
				d.quick[path] = &quickRoute{dialect, r.operation, numbers, answer}
			}
			add(http.MethodHead, r.get, r.operation)
			allowed := "GET, HEAD, OPTIONS"
			if r.post != nil {
				add(http.MethodPost, r.post, opOther)
				d.changes[path[:len(path)-len(named(path))]] = !d.settings.NoQuickRequests
				allowed = "GET, HEAD, POST, OPTIONS"
			}
			add(http.MethodOptions, options(allowed), opNone)
		}
	}
	d.routeNotifications(engine)
	engine.NoRoute(d.unmatched(unserved))
	engine.NoMethod(d.unmatched(otherMethod))
}

// named returns the last part of a path if that stands for a name, else "".
func named(path string) string {
	at := strings.IndexByte(path, ':')
	if at < 0 {
		return ""
	}
	return path[at:]
}

// notificationPaths are where CometD is served: its clients append the type of a message.
var notificationPaths = []string{pathNotifications, pathNotifications + "/:type"}

// routeNotifications puts CometD into the router. All its paths count as one route.
func (d *door) routeNotifications(engine *gin.Engine) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		numbers := d.metrics.endpoint(apiCometD, pathNotifications, method)
		numbers.held = true
		if method == http.MethodPost {
			d.polls = d.newPolls(numbers)
		}
		for _, path := range notificationPaths {
			engine.Handle(method, path, d.handle(d.loggedIn(notifications), htccapi.DialectStatusCode, opNone, numbers))
		}
	}
	numbers := d.metrics.endpoint(apiCometD, pathNotifications, http.MethodOptions)
	for _, path := range notificationPaths {
		engine.OPTIONS(path, d.handle(options("GET, POST, OPTIONS"), htccapi.DialectStatusCode, opNone, numbers))
	}
}

// unmatched serves what has no route: the router knows no path for it, so neither do the numbers.
func (d *door) unmatched(h handler) gin.HandlerFunc {
	byMethod := map[string]*endpoint{}
	for _, method := range methods {
		byMethod[method] = d.metrics.endpoint(apiMe, routeUnmatched, method)
	}
	return func(c *gin.Context) {
		dialect := htccapi.DialectStatus
		if strings.HasPrefix(c.Request.URL.Path, "/api/") || d.passes(c.Request.URL.Path) {
			dialect = htccapi.DialectStatusCode
		}
		d.handle(h, d.dialect(dialect), opNone, byMethod[methodLabel(c.Request.Method)])(c)
	}
}

// dialect returns the dialect that the settings force, else that of the prefix.
func (d *door) dialect(ofPrefix htccapi.Dialect) htccapi.Dialect {
	if d.settings.Dialect != "" {
		return d.settings.Dialect
	}
	return ofPrefix
}
