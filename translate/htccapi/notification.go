package htccapi

// Topics of /api/v2/notifications that tell of agent state.
const (
	TopicDevices  = "/v2/me/devices"
	TopicChannels = "/v2/me/channels"
	TopicServices = "/notifications/services"
)

// Values of messageType. Clients compare them exactly, the V2 included.
const (
	TypeDeviceStateChange  = "DeviceStateChangeMessage"
	TypeChannelStateChange = "ChannelStateChangeMessageV2"
	TypeError              = "ErrorMessage"
)

// DeviceStateChangeMessage lists the devices that changed, whole.
type DeviceStateChangeMessage struct {
	MessageType string   `json:"messageType"`
	Devices     []Device `json:"devices"`
}

// ChannelStateChangeMessage lists all channels of the agent, since some clients replace their
// whole set with the list.
type ChannelStateChangeMessage struct {
	MessageType string    `json:"messageType"`
	Channels    []Channel `json:"channels"`
}

// ErrorMessage tells that an operation failed, whether or not its answer said so.
type ErrorMessage struct {
	MessageType  string `json:"messageType"`
	ErrorMessage string `json:"errorMessage"`
	DevicePath   string `json:"devicePath,omitempty"`
	DeviceURI    string `json:"deviceUri,omitempty"`
}
