package icwssim

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"portico/translate/icwsapi"
)

// stationless is what stands for the station of a session without one.
const stationless = "STATIONLESS"

func (u *user) effectiveStation() *icwsapi.EffectiveStation {
	if len(*u.now.Stations) == 0 {
		return nil
	}
	id := (*u.now.Stations)[0]
	return &icwsapi.EffectiveStation{StationID: icwsapi.StationID{ID: id, DisplayName: id, URI: "/configuration/stations/" + url.PathEscape(id)}}
}

func noStation() reply {
	return refuse(http.StatusNotFound, icwsapi.Error{ErrorID: icwsapi.ErrorStationNotFound, Message: "The station was not found."})
}

func getStation(_ *Server, c *call) reply {
	if c.session.station == nil {
		return noStation()
	}
	return success(*c.session.station)
}

// putStation logs the session on to a station, in the place of one it had.
func putStation(s *Server, c *call) reply {
	var asked icwsapi.StationSettings
	refusal, refused := decode(c.body, &asked, "__type")
	if refused {
		return refusal
	}
	refusal, refused = refusesSettings(asked)
	if refused {
		return refusal
	}
	station := icwsapi.StationInformation{AllowedMediaTypes: asked.SupportedMediaTypes, RemoteNumber: asked.RemoteNumber}
	required := "workstation"
	switch asked.Type {
	case icwsapi.TypeWorkstation:
		station.ID, station.StationSetting = asked.Workstation, icwsapi.StationWorkstation
	case icwsapi.TypeRemoteWorkstation:
		station.ID, station.StationSetting = asked.Workstation, icwsapi.StationRemoteWorkstation
	case icwsapi.TypeRemoteNumber:
		station.ID, station.StationSetting, required = asked.RemoteNumber, icwsapi.StationRemoteNumber, "remoteNumber"
	case icwsapi.TypeStationless:
		station.ID = stationless
	default:
		return invalidProperty("__type", "The value of __type is not a kind of station settings.")
	}
	if station.ID == "" {
		return missingProperty(required)
	}
	refusal, refused = s.refusesStation(c.session, station)
	if refused {
		return refusal
	}
	station.Extension = station.ID
	c.written = map[string]any{"station": station.ID}
	s.tellStation(c.session, &station)
	s.settleStations(c.session.user)
	r := empty(http.StatusOK)
	r.header.Set("Location", c.base+"/icws/"+c.session.id+"/connection/station")
	return r
}

// refusesSettings says whether a number in the settings stands for nothing.
func refusesSettings(asked icwsapi.StationSettings) (reply, bool) {
	const mediaTypes, modes = 10, 3
	if slices.ContainsFunc(asked.SupportedMediaTypes, func(media int) bool { return media < 0 || media >= mediaTypes }) {
		return invalidProperty("supportedMediaTypes", "One of supportedMediaTypes is no kind of media."), true
	}
	if asked.StationConnectionMode < 0 || asked.StationConnectionMode >= modes {
		return invalidProperty("stationConnectionMode", "The value of stationConnectionMode is no such mode."), true
	}
	return reply{}, false
}

// refusesStation says whether the session may not log on there. Another session of the user may be on the same
// station. Guess: 403, as for a log-in without licence.
//
// Source: PureConnect, Licensing: a user is logged on to one station on one computer at a time, and a log-on takes
// licences, whose statuses 5 and 7 are named after the two conflicts.
func (s *Server) refusesStation(session *session, station icwsapi.StationInformation) (reply, bool) {
	if station.StationSetting == icwsapi.StationNone {
		return reply{}, false
	}
	isWorkstation := station.StationSetting != icwsapi.StationRemoteNumber
	if isWorkstation && s.Stations != nil && !contains(s.Stations, station.ID) {
		return noStation(), true
	}
	for _, other := range session.user.stationsBut(session) {
		if !strings.EqualFold(other, station.ID) {
			return withoutLicence(http.StatusForbidden, "The user is logged on to another station."), true
		}
	}
	for _, u := range s.users {
		if isWorkstation && u != session.user && contains(*u.now.Stations, station.ID) {
			return withoutLicence(http.StatusForbidden, "The station is in use by another user."), true
		}
	}
	return reply{}, false
}

// deleteStation takes the session off its station. Guess: the session lives on; pages disagree.
func deleteStation(s *Server, c *call) reply {
	if c.session.station == nil {
		return noStation()
	}
	s.leaveStation(c.session)
	return empty(http.StatusOK)
}

func (s *Server) leaveStation(session *session) {
	s.tellStation(session, nil)
	s.settleStations(session.user)
}

// stationsBut returns where the user is logged on by other sessions than this one, and elsewhere.
func (u *user) stationsBut(but *session) []string {
	stations := slices.Clone(u.elsewhere)
	for session := range u.sessions {
		if session != but && session.station != nil && session.station.ID != stationless {
			stations = append(stations, session.station.ID)
		}
	}
	return stations
}

// settleStations has the user be where any session is, or another client, each station once.
func (s *Server) settleStations(u *user) {
	held := u.stationsBut(nil)
	var stations []string
	for _, id := range slices.Concat(*u.now.Stations, held) { // those that stay keep their order
		if contains(held, id) && !contains(stations, id) {
			stations = append(stations, id)
		}
	}
	s.setStations(u, stations)
}

// seatUser puts the user on just these stations: sessions leave others, and what no session is on is another client's.
func (s *Server) seatUser(u *user, stations []string) {
	u.elsewhere = slices.Clone(stations)
	for session := range u.sessions {
		if session.station == nil || session.station.ID == stationless {
			continue
		}
		if !contains(stations, session.station.ID) {
			s.tellStation(session, nil)
			continue
		}
		u.elsewhere = slices.DeleteFunc(u.elsewhere, func(id string) bool { return strings.EqualFold(id, session.station.ID) })
	}
	s.setStations(u, stations)
}

// tellStation changes the session's station and says so to a session that subscribed.
func (s *Server) tellStation(session *session, station *icwsapi.StationInformation) {
	message := icwsapi.StationConnectionStateChangeMessage{
		Head: icwsapi.Head{Type: icwsapi.TypeStationConnectionChanged}, PreviousStationInfo: session.station,
	}
	if station != nil {
		message.NewStationInfo = *station
	}
	was := session.info()
	session.station = station
	if session.subs.station {
		session.send(message)
	}
	if !session.ended { // or that was told as it was
		s.tellSession(session, &was, new(session.info()))
	}
}

func subscribeStation(_ *Server, c *call) reply {
	c.session.subs.station = true
	message := icwsapi.StationConnectionStateChangeMessage{Head: icwsapi.Head{Type: icwsapi.TypeStationConnectionChanged}}
	if c.session.station != nil {
		message.NewStationInfo = *c.session.station
	}
	c.session.send(message)
	return empty(http.StatusOK)
}

func unsubscribeStation(_ *Server, c *call) reply {
	c.session.subs.station = false
	return empty(http.StatusOK)
}
