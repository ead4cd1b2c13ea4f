package translate

import (
	"testing"

	"portico/translate/htccapi"
)

// The ids are written out, because applications store them.
func TestUser(t *testing.T) {
	want := htccapi.User{
		ID: "3e87ff0fe0a15fe4ad5ffd124b6b41f4", UserName: "anna@example.com", FirstName: "Anna Maria", LastName: "Berg",
		Roles: []string{"ROLE_AGENT"}, Enabled: true, ContactCenterID: "7eef696c-e868-51c4-975c-f35e012fb457",
		URI:  "https://agents.example/api/v2/users/3e87ff0fe0a15fe4ad5ffd124b6b41f4",
		Path: "/users/3e87ff0fe0a15fe4ad5ffd124b6b41f4",
	}
	differ(t, want, mapped().User("anna@example.com", "Anna", "Anna Maria Berg"))
}

func TestIDsStayTheSame(t *testing.T) {
	tests := []struct{ name, got, want string }{
		{"an agent's", AgentID(site, "anna"), "3e87ff0fe0a15fe4ad5ffd124b6b41f4"},
		{"in whatever case", AgentID(site, "ANNA"), "3e87ff0fe0a15fe4ad5ffd124b6b41f4"},
		{"a device's", deviceID(Namespace(site), "anna"), "ffa26a05-f9eb-59bd-ba56-b86c7970ca4f"},
		{"in whatever case", deviceID(Namespace(site), "Anna"), "ffa26a05-f9eb-59bd-ba56-b86c7970ca4f"},
		{"a site's", Namespace(site).String(), "7eef696c-e868-51c4-975c-f35e012fb457"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: %s; want %s", tt.name, tt.got, tt.want)
		}
	}
	if AgentID("other", "anna") == AgentID(site, "anna") || deviceID(Namespace("other"), "anna") == deviceID(Namespace(site), "anna") {
		t.Error("two sites give one id")
	}
}

func TestSplittingNames(t *testing.T) {
	tests := []struct{ name, display, first, last string }{
		{"first and last", "Anna Berg", "Anna", "Berg"},
		{"several first names", "Anna Maria Berg", "Anna Maria", "Berg"},
		{"last name first", "Berg, Anna Maria", "Anna Maria", "Berg"},
		{"a single word", "anna", "", "anna"},
		{"blanks around", "  Anna   Berg ", "Anna", "Berg"},
		{"none", "", "", ""},
		{"a comma alone", ",", "", ""},
	}
	for _, tt := range tests {
		first, last := splitName(tt.display)
		if first != tt.first || last != tt.last {
			t.Errorf("%s: splitName(%q) = %q, %q; want %q, %q", tt.name, tt.display, first, last, tt.first, tt.last)
		}
	}
}

func TestFeaturesAreThoseOfTheChannels(t *testing.T) {
	r := rules(Channel{Name: htccapi.Voice}, Channel{Name: email}, Channel{"fax", []string{"Fax"}}, Channel{"social", []string{"Social"}})
	k := sit(t, r, r.directory(t), "Available", "Social")
	var features []htccapi.Feature
	for _, channel := range r.ChannelNames(k.s) {
		features = append(features, r.Feature(channel))
	}
	feature := func(id, name, channel string) htccapi.Feature {
		return htccapi.Feature{ID: id, DisplayName: name, Description: "API for " + channel, AutoAssignOnContactCenterCreated: true,
			URI: "https://agents.example/api/v2/features/" + id, Path: "/features/" + id}
	}
	differ(t, []htccapi.Feature{
		feature("api-voice", "Voice API", "voice"),
		feature("api-multimedia-email", "Multimedia Email API", "email"),
		feature("api-multimedia-social", "Multimedia social API", "social"),
	}, features)
}
