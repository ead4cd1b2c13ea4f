package icwssim

import "portico/translate/icwsapi"

func version() *icwsapi.Version {
	return &icwsapi.Version{
		MajorVersion: "19", MinorVersion: "3", SU: "4", Build: "38", ProductID: "ic", CodebaseID: "4",
		ProductReleaseDisplayString: "2019 R3", ProductPatchDisplayString: "2019 R3 Patch4",
	}
}

func getVersion(*Server, *call) reply { return success(version()) }

// features lists what the server can do; which version of messaging may depend on the user, by the
// scenario messaging-1.
func (s *Server) features(c *call) []icwsapi.Feature {
	return []icwsapi.Feature{
		{FeatureID: "connection", Version: 11},
		{FeatureID: "messaging", Version: s.messagingVersion(c)},
		{FeatureID: "status", Version: 1},
		{FeatureID: "activations", Version: 1},
		{FeatureID: "queues", Version: 1},
		{FeatureID: "licenses", Version: 1},
		{FeatureID: "session", Version: 1},
		{FeatureID: "configuration", Version: 7},
	}
}

func (s *Server) messagingVersion(c *call) int {
	if s.MessagingVersion == 1 || s.faults.Take(messaging1, c.userName, c.host) != nil {
		return 1
	}
	if s.MessagingVersion == 0 {
		return 2
	}
	return s.MessagingVersion
}

func getFeatures(s *Server, c *call) reply {
	return success(icwsapi.FeatureInfoList{FeatureInfoList: s.features(c)})
}

// getFeature answers 400 to an unknown feature, as servers do.
func getFeature(s *Server, c *call) reply {
	for _, feature := range s.features(c) {
		if feature.FeatureID == c.params["featureId"] {
			return success(feature)
		}
	}
	return invalidParameter("The feature does not exist.")
}

// getServerInfo answers GET .../connection/server-info, for which the reference requires Accept-Language. Guess: a
// session has its language and needs none.
func getServerInfo(s *Server, c *call) reply {
	if c.session == nil && s.lacksLanguage(c) {
		return missingLanguage()
	}
	info := icwsapi.ServerInfo{
		AcceptLanguage: c.language.ID,
		Authentication: icwsapi.Authentication{AllowICAuth: true},
	}
	for _, language := range s.Languages {
		info.Languages = append(info.Languages, icwsapi.Language{LanguageID: language.ID, LanguageDisplayName: language.Name})
	}
	return success(info)
}

func getServerTime(s *Server, _ *call) reply {
	return success(icwsapi.ServerTime{ServerUTCTime: icwsapi.NewTime(s.now())})
}

// getSwitchoverStatus tells of a pair if there are at least two hosts.
func getSwitchoverStatus(s *Server, c *call) reply {
	status := icwsapi.SwitchoverStatus{PrimaryHost: c.host}
	for _, host := range s.AlternateHosts {
		if host != c.host {
			status.IsSwitchoverActive, status.BackupHost = true, host
			break
		}
	}
	return success(status)
}
