package icwssim

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"portico/proxy/simulation"
)

// A handler carries out one method of a resource and returns the answer. It is called with s.mu
// held.
type handler func(s *Server, c *call) reply

// resource is a path template and what can be done with it.
type resource struct {
	template string
	segments []string
	open     bool // needs no session
	noCSRF   bool // the cookie alone is enough
	methods  map[string]handler
}

const inSession = "/icws/{sessionId}"

// resources lists every path served. Literal paths stand before those that begin with a session id,
// for "connection" and "resources" would be taken for one.
//
// Source: ICWS reference, the pages of each path.
var resources = slices.Concat(connectionResources(), statusResources(), messagingResources(), otherResources())

func connectionResources() []resource {
	get := func(h handler) map[string]handler { return map[string]handler{http.MethodGet: h} }
	return []resource{
		{template: "/icws/connection", open: true, methods: map[string]handler{http.MethodPost: logIn}},
		{template: "/icws/connection/version", open: true, methods: get(getVersion)},
		{template: "/icws/connection/features", open: true, methods: get(getFeatures)},
		{template: "/icws/connection/features/{featureId}", open: true, methods: get(getFeature)},
		{template: "/icws/connection/server-info", open: true, methods: get(getServerInfo)},
		{template: "/icws/connection/server-time", open: true, methods: get(getServerTime)},
		{template: iconRoot + "{icon}", open: true, methods: get(getIcon)},

		{template: inSession + "/connection", methods: map[string]handler{http.MethodGet: getConnection, http.MethodDelete: logOut}},
		{template: inSession + "/connection/version", methods: get(getVersion)},
		{template: inSession + "/connection/features", methods: get(getFeatures)},
		{template: inSession + "/connection/features/{featureId}", methods: get(getFeature)},
		{template: inSession + "/connection/server-info", methods: get(getServerInfo)},
		{template: inSession + "/connection/server-time", methods: get(getServerTime)},
		{template: inSession + "/connection/switchover-status", methods: get(getSwitchoverStatus)},
		{template: inSession + "/connection/unique-auth-token", methods: map[string]handler{http.MethodPost: postAuthToken}},
		{template: inSession + "/connection/station", methods: map[string]handler{
			http.MethodGet: getStation, http.MethodPut: putStation, http.MethodDelete: deleteStation}},
	}
}

func statusResources() []resource {
	get := func(h handler) map[string]handler { return map[string]handler{http.MethodGet: h} }
	getPut := func(get, put handler) map[string]handler {
		return map[string]handler{http.MethodGet: get, http.MethodPut: put}
	}
	return []resource{
		{template: inSession + "/status/status-messages", methods: get(getStatusMessages)},
		{template: inSession + "/status/status-messages-user-access/{userId}", methods: get(getUserAccess)},
		{template: inSession + "/status/user-statuses/{userId}", methods: getPut(getUserStatus, putUserStatus)},
		{template: inSession + "/status/user-status-previous-info/{userId}", methods: get(getPreviousInfo)},
		{template: inSession + "/activations/users", methods: get(getUsersActivations)},
		{template: inSession + "/activations/users/{userId}", methods: getPut(getUserActivations, putUserActivations)},
		{template: inSession + "/activations/workgroups", methods: get(getWorkgroupsActivations)},
		{template: inSession + "/activations/workgroups/{workgroupId}", methods: getPut(getWorkgroupActivations, putWorkgroupActivations)},
	}
}

func messagingResources() []resource {
	const subscriptions = inSession + "/messaging/subscriptions"
	subscription := func(path string, put, del handler) resource {
		return resource{template: subscriptions + path, methods: map[string]handler{http.MethodPut: put, http.MethodDelete: del}}
	}
	return []resource{
		{template: inSession + "/messaging/messages", noCSRF: true, methods: map[string]handler{http.MethodGet: getMessages}},
		{template: inSession + "/messaging/heartbeat", methods: map[string]handler{http.MethodPost: postHeartbeat}},
		subscription("/status/status-messages", subscribeCatalogue, unsubscribeCatalogue),
		subscription("/status/status-messages-user-access", subscribeAccess, unsubscribeAccess),
		subscription("/status/user-statuses", subscribeStatuses, unsubscribeStatuses),
		subscription("/status/user-status-previous-info", subscribePrevious, unsubscribePrevious),
		subscription("/connection/station", subscribeStation, unsubscribeStation),
		subscription("/activations/users/{subId}", subscribeUserActivations, unsubscribeUserActivations),
		subscription("/activations/workgroups/{subId}", subscribeWorkgroupActivations, unsubscribeWorkgroupActivations),
		subscription("/session/sessions-users", subscribeUserSessions, unsubscribeUserSessions),
		subscription("/session/sessions-stations", subscribeStationSessions, unsubscribeStationSessions),
		subscription("/session/sessions-layouts", subscribeLayoutSessions, unsubscribeNothing),
		subscription("/licenses", subscribeLicences, unsubscribeLicences),
		subscription("/queues/{subId}", subscribeQueue, unsubscribeQueue),
		subscription("/system/handler-sent-notifications", subscribeHandlerNotifications, unsubscribeNothing),
	}
}

func otherResources() []resource {
	get := func(h handler) map[string]handler { return map[string]handler{http.MethodGet: h} }
	return []resource{
		{template: inSession + "/licenses", methods: map[string]handler{
			http.MethodPost: changeLicences, http.MethodPut: changeLicences, http.MethodDelete: changeLicences}},
		{template: inSession + "/interactions", methods: map[string]handler{http.MethodPost: postInteraction}},
		{template: inSession + "/configuration/status-messages", methods: get(getConfiguredStatuses)},
		{template: inSession + "/configuration/status-messages/{statusId}", methods: get(getConfiguredStatus)},
		{template: inSession + "/configuration/users", methods: get(getConfiguredUsers)},
		{template: inSession + "/configuration/users/{userId}", methods: get(getConfiguredUser)},
	}
}

func init() {
	for i := range resources {
		resources[i].segments = simulation.Segments(resources[i].template)
		for method := range resources[i].methods {
			repertoire.Routes = append(repertoire.Routes, method+" "+resources[i].template)
		}
	}
}

// find returns the resource at path, whose segments are still escaped, and the values of the
// template's parameters. Literal segments compare without regard to case, since servers themselves
// write both /icws and /ICWS.
func find(path []string) (*resource, map[string]string) {
	for i := range resources {
		params, ok := resources[i].match(path)
		if ok {
			return &resources[i], params
		}
	}
	return nil, nil
}

func (r *resource) match(path []string) (map[string]string, bool) {
	if len(path) != len(r.segments) {
		return nil, false
	}
	for i, want := range r.segments {
		if !strings.HasPrefix(want, "{") && !strings.EqualFold(want, path[i]) {
			return nil, false
		}
	}
	params := make(map[string]string)
	for i, want := range r.segments {
		if !strings.HasPrefix(want, "{") {
			continue
		}
		value, err := url.PathUnescape(path[i])
		if err != nil {
			return nil, false
		}
		params[strings.Trim(want, "{}")] = value
	}
	return params, true
}

// allow returns the value of the Allow header.
func (r *resource) allow() string {
	return strings.Join(slices.Sorted(maps.Keys(r.methods)), ", ")
}
