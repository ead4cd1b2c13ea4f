package icwssim

import (
	"reflect"
	"slices"

	"portico/translate/icwsapi"
)

// statusChange is a status to be set, in the server's spelling.
type statusChange struct {
	statusID, notes, forwardNumber string
	until                          *icwsapi.Until
}

func (change statusChange) forLog() map[string]any {
	written := map[string]any{"statusId": change.statusID}
	if change.notes != "" {
		written["notes"] = change.notes
	}
	if change.forwardNumber != "" {
		written["forwardNumber"] = change.forwardNumber
	}
	if change.until != nil {
		written["until"] = change.until
	}
	return written
}

// setStatus changes a user's status and tells who watches. What did not change is not told; a
// change that changes nothing is silent unless AnnounceSameStatus.
func (s *Server) setStatus(u *user, change statusChange) {
	var changed []string
	isOther := u.now.StatusID != change.statusID
	if isOther {
		u.before = u.now.StatusID
		u.now.StatusID = change.statusID
	}
	if isOther || s.AnnounceSameStatus {
		at := icwsapi.NewTime(s.now())
		u.now.StatusChanged = &at
		changed = append(changed, "statusId", "statusChanged")
	}
	if textOf(u.now.Notes) != change.notes {
		u.now.Notes = textOrNil(change.notes)
		changed = append(changed, "notes")
	}
	if textOf(u.now.ForwardNumber) != change.forwardNumber {
		u.now.ForwardNumber = textOrNil(change.forwardNumber)
		changed = append(changed, "forwardNumber")
	}
	if !reflect.DeepEqual(u.now.Until.Value, change.until) {
		u.now.Until.Value = change.until
		changed = append(changed, "until")
	}
	if len(changed) == 0 {
		return
	}
	u.changes++
	s.tellStatus(u, changed...)
	s.remember(u, change)
	s.revertAtEnd(u)
}

// revertAtEnd arms the return to the status before.
func (s *Server) revertAtEnd(u *user) {
	if !s.RevertAtUntil || u.now.Until.Value == nil || u.before == "" {
		return
	}
	meant := u.changes
	s.life.After(u.now.Until.Value.UntilDateTime.Sub(s.now()), func() {
		if u.changes == meant {
			s.setStatus(u, statusChange{statusID: u.before})
		}
	})
}

// leaveStatus takes the status of a user who left away, if it does not persist.
func (s *Server) leaveStatus(u *user) {
	entry := s.status(u.now.StatusID)
	next := s.status(s.StatusAtLogout)
	if len(u.sessions) == 0 && next != nil && (entry == nil || !entry.IsPersistentStatus) {
		s.setStatus(u, statusChange{statusID: next.StatusID})
	}
}

func (s *Server) setLoggedIn(u *user, loggedIn bool) {
	if *u.now.LoggedIn != loggedIn {
		u.now.LoggedIn = &loggedIn
		s.tellStatus(u, "loggedIn")
	}
}

func (s *Server) setOnPhone(u *user, onPhone bool) {
	if *u.now.OnPhone != onPhone {
		at := icwsapi.NewTime(s.now())
		u.now.OnPhone, u.now.OnPhoneChanged = &onPhone, &at
		s.tellStatus(u, "onPhone", "onPhoneChanged")
	}
}

func (s *Server) setStations(u *user, stations []string) {
	if slices.Equal(*u.now.Stations, stations) {
		return
	}
	stations = append([]string{}, stations...)
	u.now.Stations = &stations
	s.tellStatus(u, "stations")
	for session := range u.sessions {
		if session.wantStation {
			session.send(icwsapi.EffectiveStationChangeMessage{
				Head: icwsapi.Head{Type: icwsapi.TypeEffectiveStationChange}, EffectiveStation: u.effectiveStation(),
			})
		}
	}
}

// tellStatus sends what changed to the sessions that subscribed to it.
func (s *Server) tellStatus(u *user, changed ...string) {
	for watcher := range u.watchers {
		if !watcher.subs.statuses[u] {
			continue
		}
		told := watcher.subs.filter(changed)
		if len(told) == 0 {
			continue
		}
		watcher.send(icwsapi.UserStatusMessage{
			Head:           icwsapi.Head{Type: icwsapi.TypeUserStatus, IsDelta: true},
			UserStatusList: []icwsapi.UserStatus{u.delta(told)},
		})
	}
}

// optional copies the optional properties of a user status, by name. In a delta, a text that was
// taken away is empty, since absent would mean unchanged.
var optional = map[string]func(to, from *icwsapi.UserStatus){
	"notes":          func(to, from *icwsapi.UserStatus) { to.Notes = from.Notes },
	"forwardNumber":  func(to, from *icwsapi.UserStatus) { to.ForwardNumber = from.ForwardNumber },
	"until":          func(to, from *icwsapi.UserStatus) { to.Until = from.Until },
	"statusChanged":  func(to, from *icwsapi.UserStatus) { to.StatusChanged = from.StatusChanged },
	"onPhone":        func(to, from *icwsapi.UserStatus) { to.OnPhone = from.OnPhone },
	"onPhoneChanged": func(to, from *icwsapi.UserStatus) { to.OnPhoneChanged = from.OnPhoneChanged },
	"loggedIn":       func(to, from *icwsapi.UserStatus) { to.LoggedIn = from.LoggedIn },
	"stations":       func(to, from *icwsapi.UserStatus) { to.Stations = from.Stations },
	"icServers":      func(to, from *icwsapi.UserStatus) { to.ICServers = from.ICServers },
	"presenceServer": func(to, from *icwsapi.UserStatus) { to.PresenceServer = from.PresenceServer },
}

// status returns the user's status with the named properties, nil meaning all.
func (u *user) status(names []string) icwsapi.UserStatus {
	if names == nil {
		return u.now
	}
	status := icwsapi.UserStatus{UserID: u.id, StatusID: u.now.StatusID}
	for name, copyTo := range optional {
		if contains(names, name) {
			copyTo(&status, &u.now)
		}
	}
	return status
}

func (u *user) delta(changed []string) icwsapi.UserStatus {
	delta := u.status(changed)
	none := ""
	if delta.Notes == nil && contains(changed, "notes") {
		delta.Notes = &none
	}
	if delta.ForwardNumber == nil && contains(changed, "forwardNumber") {
		delta.ForwardNumber = &none
	}
	return delta
}

func textOf(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

func textOrNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
