package icwssim

import (
	"cmp"
	"slices"

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
		ConfigurationID: icwsapi.ConfigurationID{ID: u.id, DisplayName: u.name, URI: "/configuration/users/" + u.id},
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
