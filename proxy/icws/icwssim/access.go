package icwssim

import (
	"slices"
	"strings"

	"portico/translate/icwsapi"
)

// accessOf returns the ids of the statuses the user may choose.
func (s *Server) accessOf(u *user) []string {
	if u.access != nil {
		return u.access
	}
	ids := []string{}
	for i := range s.catalogue {
		if s.catalogue[i].IsSelectableStatus {
			ids = append(ids, s.catalogue[i].StatusID)
		}
	}
	return ids
}

// mayChoose says whether the status is in the user's list and selectable. Guess: that both count.
func (s *Server) mayChoose(u *user, entry *status) bool {
	return entry.IsSelectableStatus && contains(s.accessOf(u), entry.StatusID)
}

// contains compares ids and names without regard to case.
func contains(ids []string, id string) bool {
	return slices.ContainsFunc(ids, func(other string) bool { return strings.EqualFold(other, id) })
}

// getUserAccess answers GET .../status/status-messages-user-access/{userId}.
func getUserAccess(s *Server, c *call) reply {
	u := s.user(c.params["userId"])
	if u == nil {
		return noSuchUser()
	}
	return success(icwsapi.UserAccess{UserID: u.id, StatusMessages: s.accessOf(u)})
}

// setAccess gives the user another list (nil: all selectable) and tells who watches.
func (s *Server) setAccess(u *user, access []string) {
	old := s.accessOf(u)
	u.access = access
	s.tellAccess(u, old)
}

// tellAccess sends what differs between old and the user's present list.
func (s *Server) tellAccess(u *user, old []string) {
	now := s.accessOf(u)
	change := icwsapi.UserAccessChange{UserID: u.id}
	for _, id := range now {
		if !contains(old, id) {
			change.StatusMessagesAdded = append(change.StatusMessagesAdded, id)
		}
	}
	for _, id := range old {
		if !contains(now, id) {
			change.StatusMessagesRemoved = append(change.StatusMessagesRemoved, id)
		}
	}
	if change.StatusMessagesAdded == nil && change.StatusMessagesRemoved == nil {
		return
	}
	for watcher := range u.watchers {
		if watcher.subs.access[u] {
			watcher.send(icwsapi.UserAccessMessage{
				Head:                            icwsapi.Head{Type: icwsapi.TypeUserAccess, IsDelta: true},
				StatusMessagesUserAccessChanges: []icwsapi.UserAccessChange{change},
			})
		}
	}
}
