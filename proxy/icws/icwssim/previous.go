package icwssim

import (
	"net/http"

	"portico/translate/icwsapi"
)

// remember keeps the last notes and number entered with a status, and tells the user's sessions.
func (s *Server) remember(u *user, change statusChange) {
	if change.notes == "" && change.forwardNumber == "" {
		return
	}
	info := icwsapi.UserStatusPreviousInfo{StatusID: change.statusID, Notes: change.notes, ForwardNumber: change.forwardNumber}
	known := false
	for i := range u.previous {
		if u.previous[i].StatusID == info.StatusID {
			u.previous[i], known = info, true
		}
	}
	if !known {
		u.previous = append(u.previous, info)
	}
	for session := range u.sessions {
		if session.subs.previous {
			session.send(previousInfoMessage([]icwsapi.UserStatusPreviousInfo{info}, true))
		}
	}
}

func previousInfoMessage(infos []icwsapi.UserStatusPreviousInfo, isDelta bool) icwsapi.UserStatusPreviousInfoMessage {
	return icwsapi.UserStatusPreviousInfoMessage{
		Head: icwsapi.Head{Type: icwsapi.TypeUserStatusPreviousInfo, IsDelta: isDelta}, UserStatusPreviousInfoList: infos,
	}
}

// getPreviousInfo answers GET .../status/user-status-previous-info/{userId}: 204 if there is none.
func getPreviousInfo(s *Server, c *call) reply {
	u := s.user(c.params["userId"])
	if u == nil {
		return noSuchUser()
	}
	if len(u.previous) == 0 {
		return empty(http.StatusNoContent)
	}
	return success(icwsapi.UserStatusPreviousInfos{UserStatusPreviousInfoList: u.previous})
}
