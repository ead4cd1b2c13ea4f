package icwssim

import (
	"net/http"

	"portico/translate/icwsapi"
)

// subscriptions is what a session asked to be told. Each PUT replaces the one before; its first
// message is the whole state, with isDelta false.
type subscriptions struct {
	catalogue            bool
	access               map[*user]bool
	statuses             map[*user]bool
	properties           []string // of statuses; nil means all
	previous             bool
	station              bool
	licences             []string
	sessionsOf           map[*user]bool
	sessionsAt           []string // ids of stations
	userActivations      map[string]userActivationSub
	workgroupActivations map[string]workgroupActivationSub
}

// filter returns those of the changed properties that were subscribed to.
func (subs *subscriptions) filter(changed []string) []string {
	if subs.properties == nil {
		return changed
	}
	var told []string
	for _, name := range changed {
		if contains(subs.properties, name) {
			told = append(told, name)
		}
	}
	return told
}

// watch lists the session among those to ask when something about u changes.
func (session *session) watch(u *user) {
	u.watchers[session] = struct{}{}
	session.watched[u] = struct{}{}
}

// usersNamed looks the ids up, each once; false means that one is unknown.
func (s *Server) usersNamed(ids []string) ([]*user, bool) {
	var users []*user
	seen := make(map[*user]bool)
	for _, id := range ids {
		u := s.user(id)
		if u == nil {
			return nil, false
		}
		if !seen[u] {
			seen[u] = true
			users = append(users, u)
		}
	}
	return users, true
}

func setOf(users []*user) map[*user]bool {
	set := make(map[*user]bool, len(users))
	for _, u := range users {
		set[u] = true
	}
	return set
}

func subscribeCatalogue(s *Server, c *call) reply {
	c.session.subs.catalogue = true
	sendSnapshot(c.session, s.catalogueIn(c.session.language), func(part []icwsapi.StatusMessage, isDelta bool) any {
		return icwsapi.StatusMessagesMessage{Head: icwsapi.Head{Type: icwsapi.TypeStatusMessages, IsDelta: isDelta}, StatusMessagesAdded: part}
	})
	return empty(http.StatusOK)
}

func unsubscribeCatalogue(_ *Server, c *call) reply {
	c.session.subs.catalogue = false
	return empty(http.StatusOK)
}

func subscribeAccess(s *Server, c *call) reply {
	var asked icwsapi.UserAccessSubscription
	refusal, refused := decode(c.body, &asked, "userIds")
	if refused {
		return refusal
	}
	users, known := s.usersNamed(asked.UserIDs)
	if !known || len(users) == 0 {
		return invalidProperty("userIds", "The list of users is empty or names one that does not exist.")
	}
	c.session.subs.access = setOf(users)
	var all []icwsapi.UserAccessChange
	for _, u := range users {
		c.session.watch(u)
		all = append(all, icwsapi.UserAccessChange{UserID: u.id, StatusMessagesAdded: s.accessOf(u)})
	}
	sendSnapshot(c.session, all, func(part []icwsapi.UserAccessChange, isDelta bool) any {
		return icwsapi.UserAccessMessage{Head: icwsapi.Head{Type: icwsapi.TypeUserAccess, IsDelta: isDelta}, StatusMessagesUserAccessChanges: part}
	})
	return empty(http.StatusOK)
}

func unsubscribeAccess(_ *Server, c *call) reply {
	c.session.subs.access = nil
	return empty(http.StatusOK)
}

// subscribeStatuses answers PUT .../subscriptions/status/user-statuses: 404 if a user is unknown.
// Guess: names that are no property are passed over.
func subscribeStatuses(s *Server, c *call) reply {
	var asked icwsapi.UserStatusSubscription
	refusal, refused := decode(c.body, &asked, "userIds")
	if refused {
		return refusal
	}
	if len(asked.UserIDs) == 0 {
		return invalidProperty("userIds", "At least one user is required.")
	}
	if asked.UserStatusProperties != nil && len(asked.UserStatusProperties) == 0 {
		return invalidProperty("userStatusProperties", "At least one property is required.")
	}
	users, known := s.usersNamed(asked.UserIDs)
	if !known {
		return noSuchUser()
	}
	c.session.subs.statuses, c.session.subs.properties = setOf(users), asked.UserStatusProperties
	var all []icwsapi.UserStatus
	for _, u := range users {
		c.session.watch(u)
		all = append(all, u.status(asked.UserStatusProperties))
	}
	sendSnapshot(c.session, all, func(part []icwsapi.UserStatus, isDelta bool) any {
		return icwsapi.UserStatusMessage{Head: icwsapi.Head{Type: icwsapi.TypeUserStatus, IsDelta: isDelta}, UserStatusList: part}
	})
	return empty(http.StatusOK)
}

func unsubscribeStatuses(_ *Server, c *call) reply {
	c.session.subs.statuses = nil
	return empty(http.StatusNoContent)
}

func subscribePrevious(_ *Server, c *call) reply {
	c.session.subs.previous = true
	infos := append([]icwsapi.UserStatusPreviousInfo{}, c.session.user.previous...)
	c.session.send(previousInfoMessage(infos, false))
	return empty(http.StatusOK)
}

func unsubscribePrevious(_ *Server, c *call) reply {
	c.session.subs.previous = false
	return empty(http.StatusOK)
}
