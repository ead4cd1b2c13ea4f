package icwsapi

// TypeICAuth is the __type of a log-in with user id and password.
const TypeICAuth = "urn:inin.com:connection:icAuthConnectionRequestSettings"

// ICAuthConnectionRequestSettings is the body of POST /icws/connection.
type ICAuthConnectionRequestSettings struct {
	Type                              string `json:"__type"`
	ApplicationName                   string `json:"applicationName"`
	UserID                            string `json:"userID"`
	Password                          string `json:"password"`
	MarketPlaceApplicationLicenseName string `json:"marketPlaceApplicationLicenseName,omitempty"`
	MarketPlaceApplicationCode        string `json:"marketPlaceApplicationCode,omitempty"`
}

// ConnectionResponse answers a log-in (201). Fields from Features on come only if the request's
// include parameter named them.
type ConnectionResponse struct {
	CSRFToken                   string                `json:"csrfToken"`
	SessionID                   string                `json:"sessionId"`
	AlternateHostList           []string              `json:"alternateHostList,omitempty"`
	UserID                      string                `json:"userID,omitempty"`
	UserDisplayName             string                `json:"userDisplayName,omitempty"`
	ICServer                    string                `json:"icServer,omitempty"`
	DaysUntilPasswordExpiration *int                  `json:"daysUntilPasswordExpiration,omitempty"`
	Features                    []Feature             `json:"features,omitempty"`
	Version                     *Version              `json:"version,omitempty"`
	ServerTimeInfo              *ServerTime           `json:"serverTimeInfo,omitempty"`
	DefaultWorkstationID        *string               `json:"defaultWorkstationId,omitempty"`
	EffectiveStation            *EffectiveStation     `json:"effectiveStation,omitempty"`
	PureCloudIntegration        *PureCloudIntegration `json:"purecloudIntegration,omitempty"`
}

// EffectiveStation names the station a user works at, also when another session logged on to it.
type EffectiveStation struct {
	StationID StationID `json:"stationId"`
}

// StationID is a reference to a station.
type StationID struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName,omitempty"`
	URI         string `json:"uri,omitempty"`
}

// Feature is one part of the API and its version; a feature that is not listed is not supported.
type Feature struct {
	FeatureID string `json:"featureId"`
	Version   int    `json:"version"`
}

// FeatureInfoList is the body of GET /icws/connection/features.
type FeatureInfoList struct {
	FeatureInfoList []Feature `json:"featureInfoList"`
}

// Version is the body of GET /icws/connection/version; every part is a string.
type Version struct {
	MajorVersion                string `json:"majorVersion"`
	MinorVersion                string `json:"minorVersion"`
	SU                          string `json:"su"`
	Build                       string `json:"build"`
	ProductID                   string `json:"productId"`
	CodebaseID                  string `json:"codebaseId"`
	ProductReleaseDisplayString string `json:"productReleaseDisplayString,omitempty"`
	ProductPatchDisplayString   string `json:"productPatchDisplayString,omitempty"`
}

// ServerTime is the body of GET /icws/connection/server-time.
type ServerTime struct {
	ServerUTCTime Time `json:"serverUtcTime"`
}

// ServerInfo is the body of GET /icws/connection/server-info: the languages one may log in with.
type ServerInfo struct {
	Languages      []Language     `json:"languages"`
	AcceptLanguage string         `json:"acceptLanguage"`
	Authentication Authentication `json:"authentication"`
}

// Language is one language of a server. The odd spelling of its id is the server's.
type Language struct {
	LanguageID          string `json:"languageID"`
	LanguageDisplayName string `json:"languageDisplayName"`
}

// Authentication says how one may log in.
type Authentication struct {
	AllowICAuth bool `json:"allowIcAuth"`
}

// States of a connection.
const (
	ConnectionNone = 0
	ConnectionUp   = 1
	ConnectionDown = 2
)

// ConnectionSettings is the body of GET /icws/{sessionId}/connection.
type ConnectionSettings struct {
	ConnectionState int    `json:"connectionState"`
	Reason          string `json:"reason,omitempty"`
	ShouldReconnect *bool  `json:"shouldReconnect,omitempty"`
}
