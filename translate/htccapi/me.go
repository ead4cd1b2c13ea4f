package htccapi

// Names of the sub-resources that GET /me can embed. ChannelStates comes with channels, which it
// repeats, in dialect StatusCode.
//
// Source: captured traffic of GWS 8.5.202.96 (channelStates).
const (
	SubFeatures     = "features"
	SubDevices      = "devices"
	SubSkills       = "skills"
	SubChannels     = "channels"
	SubCalls        = "calls"
	SubInteractions = "interactions"
	SubChats        = "chats"
	SubSettings     = "settings"
)

// Skill is something an agent can do. Level is a number in a string.
type Skill struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Level string `json:"level"`
	URI   string `json:"uri"`
	Path  string `json:"path"`
}

// Interaction is a call, a chat, or another piece of work under way.
type Interaction struct {
	ID string `json:"id"`
}

// SettingSections are an application's settings: section, key, value.
type SettingSections map[string]map[string]string
