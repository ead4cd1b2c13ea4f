package icwsapi

// The __type of each way to log on to a station.
const (
	TypeWorkstation       = "urn:inin.com:connection:workstationSettings"
	TypeRemoteWorkstation = "urn:inin.com:connection:remoteWorkstationSettings"
	TypeRemoteNumber      = "urn:inin.com:connection:remoteNumberSettings"
	TypeStationless       = "urn:inin.com:connection:stationlessSettings"
)

// Kinds of station in StationInformation.
const (
	StationNone              = 0
	StationWorkstation       = 1
	StationRemoteWorkstation = 2
	StationRemoteNumber      = 3
)

// StationSettings is the body of PUT .../connection/station; which fields count is Type's matter.
type StationSettings struct {
	Type                  string `json:"__type"`
	Workstation           string `json:"workstation,omitempty"`
	RemoteNumber          string `json:"remoteNumber,omitempty"`
	SupportedMediaTypes   []int  `json:"supportedMediaTypes,omitempty"` // 0 none, 1 call, 2 chat, 3 e-mail ... 9 social conversation
	ReadyForInteractions  bool   `json:"readyForInteractions,omitempty"`
	StationConnectionMode int    `json:"stationConnectionMode,omitempty"` // 0 default, 1 independent of the session, 2 ends with it
}

// StationInformation is the body of GET .../connection/station, without the SIP fields, one of
// which is a secret.
type StationInformation struct {
	ID                string `json:"id"`
	Extension         string `json:"extension"`
	StationSetting    int    `json:"stationSetting"`
	AllowedMediaTypes []int  `json:"allowedMediaTypes,omitempty"`
	RemoteNumber      string `json:"remoteNumber,omitempty"`
}

// StationConnectionStateChangeMessage tells of the session's own station log-on.
type StationConnectionStateChangeMessage struct {
	Head
	PreviousStationInfo *StationInformation `json:"previousStationInfo,omitempty"`
	NewStationInfo      StationInformation  `json:"newStationInfo"`
}
