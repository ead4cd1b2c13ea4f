package htccsim

import (
	"slices"

	"portico/translate/htccapi"
)

// showServices lists the services of these types, or all. That of voice has the id of the voice
// environment.
//
// Source: captured traffic of GWS 8.5.202.96.
func (s *Server) showServices(a *agent, types ...string) []htccapi.Service {
	media := uuid("service", "interaction server")
	content := uuid("service", "contact server")
	all := []htccapi.Service{
		{ID: "ON_PREMISE_ENVIRONMENT", Name: "Provisioning", Type: htccapi.ServiceProvisioning, State: htccapi.DeviceActive},
		{ID: voiceEnvironment, Name: "SIP_P", Type: htccapi.ServiceVoice, State: serviceState(s.voiceDown)},
		{ID: media, Name: "IXN_P", Type: htccapi.ServiceMultimediaState, State: serviceState(s.mediaDown)},
		{ID: content, Name: "UCS_P", Type: htccapi.ServiceMultimediaContent, State: htccapi.DeviceActive},
	}
	shown := []htccapi.Service{}
	for _, service := range all {
		if len(types) > 0 && !slices.Contains(types, service.Type) {
			continue
		}
		service.Path = "/services/" + service.ID
		service.URI = s.uri(a, service.Path)
		shown = append(shown, service)
	}
	return shown
}

func serviceState(isDown bool) string {
	if isDown {
		return htccapi.DeviceInactive
	}
	return htccapi.DeviceActive
}

func getServices(s *Server, c *call) reply {
	return c.list("services", objectsOf(s.showServices(c.session.agent)))
}

func getService(s *Server, c *call) reply {
	for _, service := range s.showServices(c.session.agent) {
		if service.ID == c.params["serviceId"] {
			return c.one("service", service)
		}
	}
	return c.notFound()
}
