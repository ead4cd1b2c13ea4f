package htccsim

import "portico/translate/htccapi"

// stockFeatures are the features of the contact centre: id, displayName.
//
// Source: captured traffic of GWS 8.5.202.96.
var stockFeatures = [][2]string{
	{"api-voice", "Voice API"},
	{"api-voice-outbound", "Voice Outbound API"},
	{"api-voice-instant-messaging", "Voice Instant Messaging API"},
	{"api-multimedia-chat", "Multimedia Chat API"},
	{"api-multimedia-email", "Multimedia Email API"},
	{"api-multimedia-workitem", "Multimedia Workitem API"},
	{"api-supervisor-agent-control", "Supervisor Agent Control API"},
	{"api-supervisor-monitoring", "Supervisor Monitoring API"},
	{"api-provisioning-read", "Provisioning Read API"},
	{"api-user-account-management-email", "User Account Management Email API"},
}

func (s *Server) showFeatures(a *agent) []htccapi.Feature {
	shown := []htccapi.Feature{}
	for _, feature := range stockFeatures {
		path := "/features/" + feature[0]
		shown = append(shown, htccapi.Feature{
			ID: feature[0], DisplayName: feature[1], Description: describe(feature[1]),
			AutoAssignOnContactCenterCreated: true, URI: s.uri(a, path), Path: path,
		})
	}
	return shown
}

// describe makes "API for Voice" of "Voice API".
func describe(displayName string) string {
	const suffix = " API"
	return "API for " + displayName[:len(displayName)-len(suffix)]
}

func getFeatures(s *Server, c *call) reply {
	return c.list("features", objectsOf(s.showFeatures(c.session.agent)))
}

func getFeature(s *Server, c *call) reply {
	for _, feature := range s.showFeatures(c.session.agent) {
		if feature.ID == c.params["featureId"] {
			return c.one("feature", feature)
		}
	}
	return c.notFound()
}
