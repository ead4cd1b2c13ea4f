package icwssim

import (
	"net/http"
	"slices"
	"strings"

	"portico/translate/icwsapi"
)

// subscribeUserSessions answers PUT .../subscriptions/session/sessions-users.
func subscribeUserSessions(s *Server, c *call) reply {
	var asked icwsapi.UserAccessSubscription // the same shape
	refusal, refused := decode(c.body, &asked, "userIds")
	if refused {
		return refusal
	}
	users, known := s.usersNamed(asked.UserIDs)
	if !known {
		return invalidProperty("userIds", "One of the users does not exist.")
	}
	c.session.subs.sessionsOf = setOf(users)
	var all []icwsapi.SessionInfo
	for _, u := range users {
		c.session.watch(u)
		for session := range u.sessions {
			all = append(all, session.info())
		}
	}
	return c.session.sendSessions(all)
}

func unsubscribeUserSessions(_ *Server, c *call) reply {
	c.session.subs.sessionsOf = nil
	return empty(http.StatusOK)
}

// subscribeStationSessions answers PUT .../subscriptions/session/sessions-stations.
func subscribeStationSessions(s *Server, c *call) reply {
	var asked struct {
		StationIDs []string `json:"stationIds"`
	}
	refusal, refused := decode(c.body, &asked, "stationIds")
	if refused {
		return refusal
	}
	for _, id := range asked.StationIDs {
		if s.Stations != nil && !contains(s.Stations, id) {
			return noStation()
		}
	}
	c.session.subs.sessionsAt = asked.StationIDs
	s.stationWatchers[c.session] = struct{}{}
	var all []icwsapi.SessionInfo
	for _, session := range s.sessions {
		if info := session.info(); contains(asked.StationIDs, info.StationID.ID) {
			all = append(all, info)
		}
	}
	return c.session.sendSessions(all)
}

func unsubscribeStationSessions(s *Server, c *call) reply {
	c.session.subs.sessionsAt = nil
	delete(s.stationWatchers, c.session)
	return empty(http.StatusOK)
}

// subscribeLayoutSessions answers PUT .../subscriptions/session/sessions-layouts: no session has a layout.
func subscribeLayoutSessions(_ *Server, c *call) reply {
	var asked struct {
		LayoutIDs []string `json:"layoutIds"`
	}
	refusal, refused := decode(c.body, &asked, "layoutIds")
	if refused {
		return refusal
	}
	return c.session.sendSessions(nil)
}

// sendSessions sends the whole of what was subscribed to.
func (session *session) sendSessions(all []icwsapi.SessionInfo) reply {
	slices.SortFunc(all, func(a, b icwsapi.SessionInfo) int { return strings.Compare(a.UserID, b.UserID) })
	sendSnapshot(session, all, func(part []icwsapi.SessionInfo, isDelta bool) any {
		return icwsapi.SessionsMessage{Head: icwsapi.Head{Type: icwsapi.TypeSessions, IsDelta: isDelta}, SessionsAdded: part}
	})
	return empty(http.StatusOK)
}

// tellSession says to those who watch the user, or a station, what a session was and is: nil of one that begins or has
// ended. Guess: one that changes its station is removed as it was and added as it is, the station being of what names it.
func (s *Server) tellSession(session *session, was, is *icwsapi.SessionInfo) {
	if was != nil && is != nil && *was == *is {
		return
	}
	for watcher := range session.user.watchers {
		if watcher.subs.sessionsOf[session.user] {
			watcher.sendSession(was, is)
		}
	}
	for watcher := range s.stationWatchers {
		at := func(info *icwsapi.SessionInfo) *icwsapi.SessionInfo {
			if info == nil || !contains(watcher.subs.sessionsAt, info.StationID.ID) {
				return nil
			}
			return info
		}
		watcher.sendSession(at(was), at(is))
	}
}

func (session *session) sendSession(was, is *icwsapi.SessionInfo) {
	head := icwsapi.Head{Type: icwsapi.TypeSessions, IsDelta: true}
	if was != nil {
		session.send(icwsapi.SessionsMessage{Head: head, SessionsRemoved: []icwsapi.SessionInfo{*was}})
	}
	if is != nil {
		session.send(icwsapi.SessionsMessage{Head: head, SessionsAdded: []icwsapi.SessionInfo{*is}})
	}
}

// info returns the session as others see it.
func (session *session) info() icwsapi.SessionInfo {
	info := icwsapi.SessionInfo{
		ApplicationName: session.application, MachineName: session.host, UserID: session.user.id,
		StationID: icwsapi.StationID{ID: stationless},
	}
	if session.station != nil {
		info.StationID.ID = session.station.ID
	}
	return info
}
