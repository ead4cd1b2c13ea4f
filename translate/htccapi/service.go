package htccapi

// Service is a server behind the API, as GET /services and the topic /notifications/services tell
// of it. State is DeviceActive or DeviceInactive. URI is "" where there is nothing to read at one.
//
// Source: GWS 8.5.2, Services; captured traffic of GWS 8.5.202.96.
type Service struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Type  string `json:"type"`
	State string `json:"state"`
	URI   string `json:"uri,omitempty"`
	Path  string `json:"path"`
}

// Values of Service.Type.
const (
	ServiceProvisioning      = "Provisioning"
	ServiceVoice             = "Voice"
	ServiceMultimediaState   = "MultiMediaState"
	ServiceMultimediaContent = "MultiMediaContent"
)

// TypeServiceStateChange is the messageType on TopicServices. No source shows it: it is formed like
// the others.
const TypeServiceStateChange = "ServiceStateChangeMessage"

// ServiceStateChangeMessage lists the services that changed, whole.
type ServiceStateChangeMessage struct {
	MessageType string    `json:"messageType"`
	Services    []Service `json:"services"`
}
