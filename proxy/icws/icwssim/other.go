package icwssim

import (
	"bytes"
	"net/http"

	"portico/translate/icwsapi"
)

// What follows is accepted because clients ask for it, and answered with what is true of this
// server: no interactions, no handlers, only log-ins and the licences asked for.

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

// changeLicences answers POST (acquire), PUT (have these and no others) and DELETE (release) of
// .../licenses. A licence is there for everybody but those hit by the scenario no-licence. A DELETE
// without a body releases all.
//
// Source: the calls of a Ruby client.
func changeLicences(s *Server, c *call) reply {
	method := c.request.Method
	if method == http.MethodDelete && len(bytes.TrimSpace(c.body)) == 0 {
		clear(c.session.licences)
		return empty(http.StatusOK)
	}
	var asked icwsapi.LicenseList
	refusal, refused := decode(c.body, &asked, "licenseList")
	if refused {
		return refusal
	}
	if method == http.MethodPut {
		clear(c.session.licences)
	}
	isRefused := s.faults.Take(noLicence, c.userName, c.host) != nil
	results := icwsapi.LicenseOperationResults{LicenseOperationResultList: []icwsapi.LicenseOperationResult{}}
	for _, name := range asked.LicenseList {
		result := icwsapi.LicenseOperationResult{LicenseName: name, IsAvailable: true, LicenseStatus: icwsapi.LicenseAvailable}
		if isRefused {
			result = icwsapi.LicenseOperationResult{
				LicenseName: name, ErrorDetails: "The license is not available.", LicenseStatus: icwsapi.LicenseUnavailable,
			}
		}
		c.session.licences[name] = method != http.MethodDelete && !isRefused
		results.LicenseOperationResultList = append(results.LicenseOperationResultList, result)
	}
	return success(results)
}

func subscribeLicences(_ *Server, c *call) reply {
	var asked icwsapi.LicenseList
	refusal, refused := decode(c.body, &asked, "licenseList")
	if refused {
		return refusal
	}
	message := icwsapi.LicenseMessage{
		Head: icwsapi.Head{Type: icwsapi.TypeLicense}, LicenseAssignedStatusList: []icwsapi.LicenseAssignedStatus{},
	}
	for _, name := range asked.LicenseList {
		message.LicenseAssignedStatusList = append(message.LicenseAssignedStatusList,
			icwsapi.LicenseAssignedStatus{Name: name, IsAssigned: c.session.licences[name]})
	}
	c.session.send(message)
	return empty(http.StatusOK)
}
