package icwssim

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/url"
	"slices"

	"portico/proxy/simulation"
	"portico/translate/icwsapi"
)

// getConfiguredUsers answers GET .../configuration/users. Stock agents show once they have been
// asked for.
func getConfiguredUsers(s *Server, c *call) reply {
	list := icwsapi.ConfiguredUsers{Items: []icwsapi.ConfiguredUser{}}
	for _, u := range s.users {
		list.Items = append(list.Items, s.configured(u, c))
	}
	slices.SortFunc(list.Items, func(a, b icwsapi.ConfiguredUser) int {
		return cmp.Compare(a.ConfigurationID.ID, b.ConfigurationID.ID)
	})
	return success(list)
}

func getConfiguredUser(s *Server, c *call) reply {
	u := s.user(c.params["userId"])
	if u == nil {
		return noSuchUser()
	}
	return success(s.configured(u, c))
}

func (s *Server) configured(u *user, c *call) icwsapi.ConfiguredUser {
	configured := icwsapi.ConfiguredUser{
		ConfigurationID: icwsapi.ConfigurationID{ID: u.id, DisplayName: u.name, URI: "/configuration/users/" + url.PathEscape(u.id)},
	}
	if contains(listIn(c, "select"), "statusText") {
		text := u.now.StatusID
		if entry := s.status(u.now.StatusID); entry != nil {
			text = entry.in(c.session.language).MessageText
		}
		configured.StatusText = &text
	}
	return configured
}

// getConfiguredStatuses answers GET .../configuration/status-messages. Guess: as with users, what select names comes
// besides the id, "*" meaning all.
func getConfiguredStatuses(s *Server, c *call) reply {
	list := icwsapi.ConfiguredItems{Items: []json.RawMessage{}}
	for i := range s.catalogue {
		list.Items = append(list.Items, s.configuredStatus(&s.catalogue[i], c))
	}
	return success(list)
}

// getConfiguredStatus answers GET .../configuration/status-messages/{id}. Guess: the id is the statusId.
func getConfiguredStatus(s *Server, c *call) reply {
	entry := s.status(c.params["statusId"])
	if entry == nil {
		return notFound()
	}
	return success(s.configuredStatus(entry, c))
}

func (s *Server) configuredStatus(entry *status, c *call) json.RawMessage {
	configured := icwsapi.ConfiguredStatusMessage{
		ConfigurationID: icwsapi.ConfigurationID{
			ID: entry.StatusID, DisplayName: entry.in(c.session.language).MessageText,
			URI: "/configuration/status-messages/" + url.PathEscape(entry.StatusID),
		},
		AllowACDCalls: entry.IsACDStatus, AllowFollowUp: entry.IsAllowFollowUpStatus, Group: entry.GroupTag,
		HasDate: entry.CanHaveDate, HasTime: entry.CanHaveTime, IsAfterCallWork: entry.IsAfterCallWorkStatus,
		IsDoNotDisturb: entry.IsDoNotDisturbStatus, IsForward: entry.IsForwardStatus, IsPersistent: entry.IsPersistentStatus,
		IsUserSelectable: entry.IsSelectableStatus, MessageText: make(map[string]string),
	}
	for i := range s.Languages {
		configured.MessageText[s.Languages[i].ID] = entry.in(&s.Languages[i]).MessageText
	}
	return selected(configured, append(listIn(c, "select"), "configurationId"))
}

// selected returns the properties of those names, or all if one is "*".
func selected(configured any, names []string) json.RawMessage {
	whole := simulation.Encode(configured)
	if contains(names, "*") {
		return whole
	}
	var properties map[string]json.RawMessage
	_ = json.Unmarshal(whole, &properties) // an object of our own
	maps.DeleteFunc(properties, func(name string, _ json.RawMessage) bool { return !contains(names, name) })
	return simulation.Encode(properties)
}
