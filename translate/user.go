package translate

import (
	"strings"

	"portico/translate/htccapi"
)

// User returns the agent object of an agent whose first site is this one.
func (r Rules) User(login, userID, displayName string) htccapi.User {
	id := AgentID(r.Site, userID)
	first, last := splitName(displayName)
	return htccapi.User{
		ID: id, UserName: login, FirstName: first, LastName: last, Roles: []string{htccapi.RoleAgent}, Enabled: true,
		ContactCenterID: Namespace(r.Site).String(), URI: r.PublicURL + "/api/v2/users/" + id, Path: "/users/" + id,
	}
}

// splitName takes "Anna Maria Berg" and "Berg, Anna Maria" apart. A single word is the last name.
func splitName(displayName string) (string, string) {
	last, first, found := strings.Cut(displayName, ",")
	if found {
		return strings.TrimSpace(first), strings.TrimSpace(last)
	}
	words := strings.Fields(displayName)
	if len(words) == 0 {
		return "", ""
	}
	return strings.Join(words[:len(words)-1], " "), words[len(words)-1]
}

// featureNames are the display names of the features that channels bring.
var featureNames = map[string]string{
	"api-voice":               "Voice API",
	"api-multimedia-chat":     "Multimedia Chat API",
	"api-multimedia-email":    "Multimedia Email API",
	"api-multimedia-workitem": "Multimedia Workitem API",
}

// Feature returns the feature that a channel stands for: api-voice for voice, else
// api-multimedia-<channel>. An agent has those of the channels that are Shown.
//
// Source: vendor reference, Channels API: each channel is associated with one feature.
func (r Rules) Feature(channel htccapi.MediaChannel) htccapi.Feature {
	id := "api-multimedia-" + string(channel)
	if channel == htccapi.Voice {
		id = "api-voice"
	}
	name := featureNames[id]
	if name == "" {
		name = "Multimedia " + string(channel) + " API"
	}
	return htccapi.Feature{ID: id, DisplayName: name, Description: "API for " + string(channel),
		AutoAssignOnContactCenterCreated: true, URI: r.PublicURL + "/api/v2/features/" + id, Path: "/features/" + id}
}
