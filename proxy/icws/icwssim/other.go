package icwssim

import (
	"net/http"

	"portico/translate/icwsapi"
)

// What follows is accepted because clients ask for it, and answered with what is true of this
// server: no interactions, no handlers, only log-ins.

// subscribeQueue answers PUT .../subscriptions/queues/{subId}: the queue is empty and stays so.
func subscribeQueue(_ *Server, c *call) reply {
	var asked struct{}
	refusal, refused := decode(c.body, &asked, "queueIds")
	if refused {
		return refusal
	}
	c.session.send(icwsapi.QueueContentsMessage{
		Head: icwsapi.Head{Type: icwsapi.TypeQueueContents}, SubscriptionID: c.params["subId"],
		InteractionsAdded: []icwsapi.Interaction{}, InteractionsChanged: []icwsapi.Interaction{}, InteractionsRemoved: []string{},
	})
	return empty(http.StatusOK)
}

func unsubscribeQueue(*Server, *call) reply { return empty(http.StatusNoContent) }

// postInteraction answers POST .../interactions, which begins a call: not here. Guess: 400, and that a call is what
// needs a station.
//
// Source: ICWS reference (error.request.noStation); a Ruby client (error.request.unsupported).
func postInteraction(_ *Server, c *call) reply {
	if c.session.station == nil || c.session.station.ID == stationless {
		return refuse(http.StatusBadRequest, icwsapi.Error{
			ErrorID: icwsapi.ErrorNoStation, Message: "The session is not logged on to a station.",
		})
	}
	return refuse(http.StatusBadRequest, icwsapi.Error{ErrorID: icwsapi.ErrorUnsupported, Message: "The request is not supported."})
}

func subscribeHandlerNotifications(*Server, *call) reply { return empty(http.StatusNoContent) }

func unsubscribeNothing(_ *Server, c *call) reply {
	if c.resource.template == inSession+"/messaging/subscriptions/session/sessions-users" {
		c.session.subs.sessionsOf = nil
	}
	return empty(http.StatusOK)
}

// subscribeSessions answers PUT .../subscriptions/session/sessions-users.
func subscribeSessions(s *Server, c *call) reply {
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
	sendSnapshot(c.session, all, func(part []icwsapi.SessionInfo, isDelta bool) any {
		return icwsapi.SessionsMessage{Head: icwsapi.Head{Type: icwsapi.TypeSessions, IsDelta: isDelta}, SessionsAdded: part}
	})
	return empty(http.StatusOK)
}

func subscribeNoSessions(_ *Server, c *call) reply {
	c.session.send(icwsapi.SessionsMessage{Head: icwsapi.Head{Type: icwsapi.TypeSessions}})
	return empty(http.StatusOK)
}

// tellSessions says to those who watch the user that a session began or ended.
func (s *Server) tellSessions(session *session, began bool) {
	for watcher := range session.user.watchers {
		if !watcher.subs.sessionsOf[session.user] {
			continue
		}
		message := icwsapi.SessionsMessage{Head: icwsapi.Head{Type: icwsapi.TypeSessions, IsDelta: true}}
		if began {
			message.SessionsAdded = []icwsapi.SessionInfo{session.info()}
		} else {
			message.SessionsRemoved = []icwsapi.SessionInfo{session.info()}
		}
		watcher.send(message)
	}
}

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
