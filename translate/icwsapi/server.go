package icwsapi

// AlternateHosts is the body of a 503 at log-in: bare host names to try instead. The list may be
// empty, never absent.
type AlternateHosts struct {
	ErrorID           string   `json:"errorId,omitempty"`
	ErrorCode         int      `json:"errorCode,omitempty"`
	Message           string   `json:"message"`
	AlternateHostList []string `json:"alternateHostList"`
}

// PureCloudIntegration comes with a log-in that includes purecloud-integration.
type PureCloudIntegration struct {
	IntegrationEnabled       bool `json:"integrationEnabled"`
	WebRTCIntegrationEnabled bool `json:"webRTCIntegrationEnabled"`
}

// SwitchoverStatus is the body of GET .../connection/switchover-status.
type SwitchoverStatus struct {
	IsSwitchoverActive bool   `json:"isSwitchoverActive"` // a pair is configured
	PrimaryHost        string `json:"primaryHost"`
	BackupHost         string `json:"backupHost,omitempty"`
	BackupState        int    `json:"backupState"` // 0 active
}
