package htccapi

// Names of the sub-resources that GET /me can embed. ChannelStates comes with channels, in dialect
// StatusCode.
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

// Me is the agent object of GET /me with the sub-resources that were asked for. Those that were
// not are nil and left out; an empty one is shown.
//
// Source: captured traffic of GWS 8.5.202.96 (channelStates repeats channels).
type Me struct {
	User
	Features      []Feature       `json:"features,omitzero"`
	Devices       []Device        `json:"devices,omitzero"`
	Skills        []Skill         `json:"skills,omitzero"`
	Channels      []Channel       `json:"channels,omitzero"`
	ChannelStates []Channel       `json:"channelStates,omitzero"`
	Calls         []Interaction   `json:"calls,omitzero"`
	Interactions  []Interaction   `json:"interactions,omitzero"`
	Chats         []Interaction   `json:"chats,omitzero"`
	Settings      SettingSections `json:"settings,omitzero"`
}

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
