package icwssim

import (
	"net/http"
	"slices"

	"portico/translate/icwsapi"
)

// stationless is what stands for the station of a session without one.
const stationless = "STATIONLESS"

func (u *user) effectiveStation() *icwsapi.EffectiveStation {
	if len(*u.now.Stations) == 0 {
		return nil
	}
	id := (*u.now.Stations)[0]
	return &icwsapi.EffectiveStation{StationID: icwsapi.StationID{ID: id, DisplayName: id, URI: "/configuration/stations/" + id}}
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
	station := icwsapi.StationInformation{AllowedMediaTypes: asked.SupportedMediaTypes, RemoteNumber: asked.RemoteNumber}
	switch asked.Type {
	case icwsapi.TypeWorkstation:
		station.ID, station.StationSetting = asked.Workstation, icwsapi.StationWorkstation
	case icwsapi.TypeRemoteWorkstation:
		station.ID, station.StationSetting = asked.Workstation, icwsapi.StationRemoteWorkstation
	case icwsapi.TypeRemoteNumber:
		station.ID, station.StationSetting = asked.RemoteNumber, icwsapi.StationRemoteNumber
	case icwsapi.TypeStationless:
		station.ID = stationless
	default:
		return invalidProperty("__type", "The value of __type is not a kind of station settings.")
	}
	if station.ID == "" {
		return missingProperty("workstation")
	}
	isWorkstation := asked.Type == icwsapi.TypeWorkstation || asked.Type == icwsapi.TypeRemoteWorkstation
	if isWorkstation && s.Stations != nil && !contains(s.Stations, station.ID) {
		return noStation()
	}
	station.Extension = station.ID
	c.written = map[string]any{"station": station.ID}
	s.takeStation(c.session, station)
	r := empty(http.StatusOK)
	r.header.Set("Location", c.base+"/icws/"+c.session.id+"/connection/station")
	return r
}

// deleteStation takes the session off its station. Guess: the session lives on; pages disagree.
func deleteStation(s *Server, c *call) reply {
	if c.session.station == nil {
		return noStation()
	}
	s.leaveStation(c.session)
	return empty(http.StatusOK)
}

func (s *Server) takeStation(session *session, station icwsapi.StationInformation) {
	var stations []string
	if old := session.station; old != nil {
		stations = without(*session.user.now.Stations, old.ID)
	} else {
		stations = slices.Clone(*session.user.now.Stations)
	}
	if station.ID != stationless {
		stations = append(stations, station.ID)
	}
	s.tellStation(session, &station)
	s.setStations(session.user, stations)
}

func (s *Server) leaveStation(session *session) {
	stations := without(*session.user.now.Stations, session.station.ID)
	s.tellStation(session, nil)
	s.setStations(session.user, stations)
}

// tellStation changes the session's station and says so to a session that subscribed.
func (s *Server) tellStation(session *session, station *icwsapi.StationInformation) {
	message := icwsapi.StationConnectionStateChangeMessage{
		Head: icwsapi.Head{Type: icwsapi.TypeStationConnectionChanged}, PreviousStationInfo: session.station,
	}
	if station != nil {
		message.NewStationInfo = *station
	}
	session.station = station
	if session.subs.station {
		session.send(message)
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

func without(list []string, item string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(other string) bool { return other == item })
}
