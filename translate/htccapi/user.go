package htccapi

// User is the agent object of GET /me without its sub-resources.
type User struct {
	ID                         string   `json:"id"` // 32 hex digits
	UserName                   string   `json:"userName"`
	FirstName                  string   `json:"firstName"`
	LastName                   string   `json:"lastName"`
	EmailAddress               string   `json:"emailAddress"`
	Roles                      []string `json:"roles"`
	Enabled                    bool     `json:"enabled"`
	ChangePasswordOnFirstLogin bool     `json:"changePasswordOnFirstLogin"`
	ContactCenterID            string   `json:"contactCenterId"`
	URI                        string   `json:"uri"`
	Path                       string   `json:"path"`
}

// RoleAgent is the role that the operations of /me need.
const RoleAgent = "ROLE_AGENT"

// Device states. An Inactive device has no userState.
const (
	DeviceActive   = "Active"
	DeviceInactive = "Inactive"
)

// Values of doNotDisturb and dndState.
const (
	On  = "On"
	Off = "Off"
)

// Device is a phone of the agent: the same object in answers and in DeviceStateChangeMessage.
type Device struct {
	ID                  string         `json:"id"`
	DeviceState         string         `json:"deviceState"`
	UserState           *UserState     `json:"userState,omitempty"`
	PhoneNumber         string         `json:"phoneNumber"`
	Description         string         `json:"description"`
	E164Number          string         `json:"e164Number"`
	TelephonyNetwork    string         `json:"telephonyNetwork"`
	DoNotDisturb        string         `json:"doNotDisturb"`
	ForwardTo           string         `json:"forwardTo,omitempty"` // while calls are forwarded
	VoiceEnvironmentURI string         `json:"voiceEnvironmentUri"`
	Capabilities        []Operation    `json:"capabilities"`
	Channels            []MediaChannel `json:"channels"`
	DynamicPhoneNumber  string         `json:"dynamicPhoneNumber"`
}

// TelephonyPrivate is the telephonyNetwork of a phone behind the contact centre's own exchange.
const TelephonyPrivate = "Private"

// Channel is the state of one media channel. DNDState comes in notifications only; the members
// after it are those of voice.
type Channel struct {
	Channel      MediaChannel `json:"channel"`
	UserState    UserState    `json:"userState"`
	DNDState     string       `json:"dndState,omitempty"`
	PhoneNumber  string       `json:"phoneNumber,omitempty"`
	SwitchName   string       `json:"switchName,omitempty"`
	UserActivity string       `json:"userActivity,omitempty"`
}

// Feature is a part of the API that the agent's contact centre has.
type Feature struct {
	ID                               string `json:"id"`
	DisplayName                      string `json:"displayName"`
	Description                      string `json:"description"`
	AutoAssignOnContactCenterCreated bool   `json:"autoAssignOnContactCenterCreate"`
	URI                              string `json:"uri"`
	Path                             string `json:"path"`
}
