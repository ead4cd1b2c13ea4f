package htccsim

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
	isOpen   bool // serves the anonymous too
	isRaw    bool // reads the request's body itself
	methods  map[string]handler
}

const root = "/api/v2"

// resources lists every path served. Literal paths stand before those with parameters that would
// match them.
var resources = slices.Concat(meResources(), agentResources(), siteResources(), otherResources())

func get(template string, h handler) resource {
	return resource{template: template, methods: map[string]handler{http.MethodGet: h}}
}

func getPost(template string, get, post handler) resource {
	return resource{template: template, methods: map[string]handler{http.MethodGet: get, http.MethodPost: post}}
}

// meResources are the agent's own state and what changes it.
//
// Source: vendor reference, Channels API; HTCC 8.5.0, QueryAgentState.
func meResources() []resource {
	return []resource{
		getPost(root+"/me", getMe, postMe),
		get(root+"/me/subresources={list}", getMe),
		get(root+"/me/devices", getMyDevices),
		getPost(root+"/me/devices/{deviceId}", getMyDevice, postMyDevice),
		get(root+"/me/devices/{deviceId}/settings/{group}", getDeviceSettings),
		get(root+"/me/channels", getMyChannels),
		getPost(root+"/me/channels/{channel}", getMyChannel, postMyChannel),
		get(root+"/me/features", getFeatures),
		get(root+"/me/skills", getMySkills),
		get(root+"/me/calls", getMyCalls),
		get(root+"/me/calls/{callId}", getMyCall),
		get(root+"/me/groups", getNone("groups")),
		get(root+"/me/chats", getNone("chats")),
		get(root+"/me/emails", getNone("emails")),
		get(root+"/me/workitems", getNone("workitems")),
		get(root+"/me/interactions", getNone("interactions")),
		get(root+"/me/workbins", whileMediaUp(getNone("workbins"))),
		{template: root + "/notifications", isRaw: true, methods: map[string]handler{
			http.MethodGet: serveNotifications, http.MethodPost: serveNotifications}},
		{template: root + "/notifications/{suffix}", isRaw: true, methods: map[string]handler{
			http.MethodGet: serveNotifications, http.MethodPost: serveNotifications}},
	}
}

// agentResources are those of users, to be seen by each other.
func agentResources() []resource {
	return []resource{
		get(root+"/users", getUsers),
		get(root+"/users/{userId}", getUser),
		getPost(root+"/users/{userId}/channels/{channel}", getTheirChannel, postTheirChannel),
		get(root+"/users/{userId}/channels", getTheirChannels),
		get(root+"/users/{userId}/devices", getTheirDevices),
		get(root+"/users/{userId}/skills", getTheirSkills),
		get(root+"/devices", getMyDevices),
		get(root+"/devices/{deviceId}", getMyDevice),
		get(root+"/devices/{deviceId}/settings/{group}", getDeviceSettings),
	}
}

// siteResources are the same for all agents.
func siteResources() []resource {
	version := get(root+"/diagnostics/version", getVersion)
	version.isOpen = true
	return []resource{
		version,
		get(root+"/features", getFeatures),
		get(root+"/features/{featureId}", getFeature),
		get(root+"/skills/{skillId}", getSkill),
		get(root+"/services", getServices),
		get(root+"/services/{serviceId}", getService),
		get(root+"/voice-environments/{environmentId}", getVoiceEnvironment),
		get(root+"/settings", getSettings),
		get(root+"/settings/agent-states", getAgentStates),
		get("/internal-api/me/settings", getAllSettings),
		get("/internal-api/contact-center", getContactCenter),
		get("/internal-api/business-attributes", getNone("businessAttributes")),
		get("/internal-api/lucene/index", getLuceneIndex),
		{template: "/internal-api/operations", methods: map[string]handler{http.MethodPost: postOther}},
		get("/api/v1/stats/{userId}", getNone("statistics")),
	}
}

// otherResources are no part of agent state, and have little to show.
func otherResources() []resource {
	return []resource{
		get(root+"/groups", getNone("groups")),
		get(root+"/contacts", getNone("contacts")),
		get(root+"/contacts/{contactId}", getContact),
		get(root+"/workbins", whileMediaUp(getNone("workbins"))),
		getPost(root+"/workbins/{workbinId}", whileMediaUp(getNothing), postOther),
		{template: root + "/documents", isRaw: true, methods: map[string]handler{http.MethodPost: postDocument}},
		{template: root + "/documents/{documentId}/content", isRaw: true, methods: map[string]handler{
			http.MethodGet: getDocument, http.MethodPut: putDocument}},
	}
}

func init() {
	for i := range resources {
		resources[i].segments = simulation.Segments(resources[i].template)
		if resources[i].template == root+"/notifications/{suffix}" {
			// The suffix says nothing that the messages don't, so both are one in counts and faults.
			resources[i].template = root + "/notifications"
		}
		for method := range resources[i].methods {
			repertoire.Routes = append(repertoire.Routes, method+" "+resources[i].template)
		}
	}
}

// find returns the resource at path, whose segments are still escaped, and the values of the
// template's parameters.
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
	params := make(map[string]string)
	for i, want := range r.segments {
		literal, name, isParameter := strings.Cut(want, "{")
		got, err := url.PathUnescape(path[i])
		if err != nil {
			return nil, false
		}
		value, ok := strings.CutPrefix(got, literal)
		if !ok || !isParameter && value != "" {
			return nil, false
		}
		if isParameter {
			params[strings.TrimSuffix(name, "}")] = value
		}
	}
	return params, true
}

// allow returns the value of the Allow header.
func (r *resource) allow() string {
	return strings.Join(slices.Sorted(maps.Keys(r.methods)), ", ")
}
