package icwsapi

// ConfigurationID is a reference to an object of the configuration.
type ConfigurationID struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
	URI         string `json:"uri"`
}

// ConfiguredUser is an entry of GET .../configuration/users; StatusText comes if select names it.
type ConfiguredUser struct {
	ConfigurationID ConfigurationID `json:"configurationId"`
	StatusText      *string         `json:"statusText,omitempty"`
}

// ConfiguredUsers is the body of GET .../configuration/users.
type ConfiguredUsers struct {
	Items []ConfiguredUser `json:"items"`
}
