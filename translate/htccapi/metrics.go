package htccapi

// Metrics is what a server adds to the data of each notification, as its member "metrics".
//
// Source: captured traffic of GWS 8.5.202.96.
type Metrics struct {
	EventProcessing EventProcessing `json:"eventProcessing"`
}

// EventProcessing says how long an event was under way in the server. The total may be -1.
type EventProcessing struct {
	NodeProcessingTimeNanos     int64 `json:"nodeProcessingTimeNanos"`
	ServerGenerationTimestamp   int64 `json:"serverGenerationTimestamp"` // ms since 1970
	ServerProcessingTimeTotalMs int64 `json:"serverProcessingTimeTotalMs"`
}

// DeviceErrorMessage is the ErrorMessage that follows a refused operation on a device: without text.
//
// Source: captured traffic of GWS 8.5.202.96.
type DeviceErrorMessage struct {
	MessageType string `json:"messageType"`
	DevicePath  string `json:"devicePath"`
	DeviceURI   string `json:"deviceUri"`
}
