package main

import (
	"net/http"
	"slices"
	"strings"
)

// A class is what a request is for.
type class string

const (
	sessions      class = "log-ins and log-outs"
	streams       class = "event streams"
	subscriptions class = "subscriptions"
	catalogue     class = "catalogue"
	access        class = "access lists"
	stateReads    class = "reads of agent state"
	otherReads    class = "other reads"
	writes        class = "state writes"
	activations   class = "activation calls"
	keepAlives    class = "keep-alives"
	probes        class = "probes"
	notifications class = "CometD"
)

// reading are the classes that count as requests other than state writes, in the order of the tables.
// Notifications are not among them: how many there are depends on how long connects are held.
var reading = []class{sessions, streams, subscriptions, catalogue, access, stateReads, otherReads, keepAlives, probes}

// isTimed says that a class goes by the clock on the wall, however the shift is compressed: a probe
// every 10 s of a running Portico, a keep-alive of a session every 90 s, a connect of CometD at least
// every 30 s.
func (c class) isTimed() bool { return c == probes || c == keepAlives || c == notifications }

// A route is a path template of a contact centre, as its simulator names it, and what requests to it
// are for.
type route struct {
	method   string
	template string
	class    class
}

func (r route) String() string { return r.method + " " + r.template }

// routes are those of each kind. Literal paths stand before those with parameters that match them too.
var routes = map[kind][]route{
	icws: {
		{http.MethodPost, "/icws/connection", sessions},
		{http.MethodGet, "/icws/connection/version", otherReads},
		{http.MethodGet, "/icws/connection/features", otherReads},
		{http.MethodGet, "/icws/connection/server-info", otherReads},
		{http.MethodGet, "/icws/{sessionId}/connection", sessions},
		{http.MethodDelete, "/icws/{sessionId}/connection", sessions},
		{http.MethodGet, "/icws/{sessionId}/messaging/messages", streams},
		{http.MethodPost, "/icws/{sessionId}/messaging/heartbeat", keepAlives},
		{http.MethodPut, "/icws/{sessionId}/messaging/subscriptions/status/user-statuses", subscriptions},
		{http.MethodPut, "/icws/{sessionId}/messaging/subscriptions/status/status-messages", subscriptions},
		{http.MethodPut, "/icws/{sessionId}/messaging/subscriptions/status/status-messages-user-access", subscriptions},
		{http.MethodPut, "/icws/{sessionId}/messaging/subscriptions/activations/users/{subId}", subscriptions},
		{http.MethodDelete, "/icws/{sessionId}/messaging/subscriptions/activations/users/{subId}", subscriptions},
		{http.MethodPut, "/icws/{sessionId}/messaging/subscriptions/activations/workgroups/{subId}", subscriptions},
		{http.MethodDelete, "/icws/{sessionId}/messaging/subscriptions/activations/workgroups/{subId}", subscriptions},
		{http.MethodGet, "/icws/{sessionId}/status/status-messages", catalogue},
		{http.MethodGet, "/icws/{sessionId}/status/status-messages-user-access/{userId}", access},
		{http.MethodGet, "/icws/{sessionId}/status/user-statuses/{userId}", stateReads},
		{http.MethodGet, "/icws/{sessionId}/activations/users", stateReads},
		{http.MethodGet, "/icws/{sessionId}/activations/users/{userId}", stateReads},
		{http.MethodPut, "/icws/{sessionId}/status/user-statuses/{userId}", writes},
		{http.MethodPut, "/icws/{sessionId}/activations/users/{userId}", activations},
	},
	htcc: {
		{http.MethodGet, "/api/v2/me", stateReads},
		{http.MethodGet, "/api/v2/me/devices", stateReads},
		{http.MethodGet, "/api/v2/me/channels", stateReads},
		{http.MethodPost, "/api/v2/me", writes},
		{http.MethodPost, "/api/v2/me/channels/{channel}", writes},
		{http.MethodGet, "/api/v2/me/chats", otherReads},
		{http.MethodGet, "/api/v2/me/emails", otherReads},
		{http.MethodGet, "/api/v2/me/groups", otherReads},
		{http.MethodGet, "/api/v2/services", otherReads},
		{http.MethodGet, "/api/v2/groups", otherReads},
		{http.MethodGet, "/api/v2/contacts", otherReads},
		{http.MethodGet, "/api/v2/workbins", otherReads},
		{http.MethodGet, "/api/v2/settings/agent-states", otherReads},
		{http.MethodGet, "/internal-api/me/settings", otherReads},
		{http.MethodGet, "/internal-api/contact-center", otherReads},
		{http.MethodGet, "/internal-api/business-attributes", otherReads},
		{http.MethodGet, "/internal-api/lucene/index", otherReads},
		{http.MethodGet, "/api/v1/stats/{userId}", otherReads},
		{http.MethodGet, "/api/v2/diagnostics/version", otherReads},
		{http.MethodPost, "/api/v2/notifications", notifications},
	},
}

// unlisted is the route of all that the table does not have. The simulator's totals give it away.
const unlisted = "(not in the model's table)"

// routeOf returns the route of a request, and what the request is for. who sent it matters for the
// versions that Portico asks for as itself, to see whether a contact centre is there.
func routeOf(k kind, r *http.Request, who persona) (string, class) {
	path := segments(r.URL.Path)
	if len(path) > 2 && path[2] == "notifications" {
		path = path[:3] // what follows says nothing that the messages don't
	}
	for _, one := range routes[k] {
		if one.method != r.Method || !matches(segments(one.template), path) {
			continue
		}
		switch {
		case strings.HasSuffix(one.template, "/version") && who == nobody:
			return one.String(), probes
		case one.template == "/api/v2/me" && one.class == stateReads && !asksForState(r):
			return one.String(), otherReads
		}
		return one.String(), one.class
	}
	return unlisted, otherReads
}

// asksForState says whether a read of the agent is one of their state: calls, chats and the like are
// no agent state.
func asksForState(r *http.Request) bool {
	asked := strings.Split(r.URL.Query().Get("subresources"), ",")
	return slices.ContainsFunc(asked, func(name string) bool { return name == "*" || name == "devices" || name == "channels" })
}

func matches(template, path []string) bool {
	if len(template) != len(path) {
		return false
	}
	for i, want := range template {
		if want != path[i] && !strings.HasPrefix(want, "{") {
			return false
		}
	}
	return true
}

func segments(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}
