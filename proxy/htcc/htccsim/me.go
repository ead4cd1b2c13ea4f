package htccsim

import (
	"slices"

	"portico/translate/htccapi"
)

// subresources are those of GET /me, in the order they stand on the wire. The star means all but
// the features.
//
// Source: captured answers of GWS 8.5.202.96 and 2016.
var subresources = []struct {
	name     string
	show     func(s *Server, a *agent) any // nil: leave it out
	isByName bool                          // not among those of the star
}{
	{htccapi.SubDevices, func(s *Server, a *agent) any { return s.showDevices(a) }, false},
	{htccapi.SubSkills, func(s *Server, a *agent) any { return s.showSkills(a) }, false},
	{htccapi.SubChannels, (*Server).embeddedChannels, false},
	{htccapi.SubInteractions, (*Server).embeddedNone, false},
	{htccapi.SubChats, (*Server).embeddedNone, false},
	{htccapi.SubCalls, func(_ *Server, a *agent) any { return append([]htccapi.Call{}, a.calls...) }, false},
	{htccapi.SubSettings, (*Server).embeddedSettings, false},
	{htccapi.SubFeatures, func(s *Server, a *agent) any { return s.showFeatures(a) }, true},
}

// embeddedChannels is absent, rather than empty, while the agent has no multimedia session or its
// server is lost.
func (s *Server) embeddedChannels(a *agent) any {
	channels := s.showChannels(a, s.VoiceInChannels)
	if len(channels) == 0 {
		return nil
	}
	return channels
}

func (s *Server) embeddedNone(*agent) any {
	if !s.EmptyLists {
		return nil
	}
	return []object{}
}

func (s *Server) embeddedSettings(a *agent) any {
	if a.Settings == nil {
		return htccapi.SettingSections{}
	}
	return a.Settings
}

// getMe answers GET /me and /me/subresources={list}.
func getMe(s *Server, c *call) reply {
	query := c.request.URL.Query()
	wanted := selected(query, subresourcesParameter)
	if list, is := c.params["list"]; is {
		wanted.add(list)
	}
	a := c.session.agent
	user := selected(query, fieldsParameter).restrict(objectOf(s.showUser(a)))
	return c.success(member{"user", append(user, s.embedded(c, a, wanted)...)})
}

// embedded lists the sub-resources that are wanted. Channels come twice, as channelStates too,
// except in the documents' dialect.
func (s *Server) embedded(c *call, a *agent, wanted selection) object {
	var members object
	for _, sub := range subresources {
		if !wanted.has(sub.name) && (!wanted.isAll || sub.isByName) {
			continue
		}
		if sub.name == htccapi.SubChannels && c.alter.dropsChannels {
			continue
		}
		shown := sub.show(s, a)
		if shown == nil {
			continue
		}
		members = append(members, member{sub.name, shown})
		if sub.name == htccapi.SubChannels && c.dialect != htccapi.DialectStatus {
			members = append(members, member{"channelStates", shown})
		}
	}
	return members
}

func getMyDevices(s *Server, c *call) reply { return s.listDevices(c, c.session.agent) }

func getTheirDevices(s *Server, c *call) reply {
	a := s.agentByID(c.params["userId"])
	if a == nil {
		return c.notFound()
	}
	return s.listDevices(c, a)
}

// listDevices answers with an agent's devices. Unlike channels they have no member uri.
func (s *Server) listDevices(c *call, a *agent) reply {
	objects := objectsOf(s.showDevices(a))
	if c.wantsURIs() {
		return c.uris(s, a, "/devices/", objects, "id")
	}
	return c.list("devices", objects)
}

// getMyDevice answers GET /me/devices/{deviceId}.
func getMyDevice(s *Server, c *call) reply {
	a := c.session.agent
	d := a.device(c.params["deviceId"])
	if d == nil {
		return c.notFound()
	}
	return c.one("device", s.showDevice(a, d))
}

func getMyChannels(s *Server, c *call) reply { return s.listChannels(c, c.session.agent) }

func getTheirChannels(s *Server, c *call) reply {
	a := s.agentByID(c.params["userId"])
	if a == nil {
		return c.notFound()
	}
	return s.listChannels(c, a)
}

func (s *Server) listChannels(c *call, a *agent) reply {
	if c.alter.dropsChannels {
		return c.success()
	}
	objects := objectsOf(s.showChannels(a, s.VoiceInChannels))
	if c.wantsURIs() {
		return c.uris(s, a, "/me/channels/", objects, "channel")
	}
	return c.list("channels", objects)
}

func getMyChannel(s *Server, c *call) reply { return s.oneChannel(c, c.session.agent) }

func getTheirChannel(s *Server, c *call) reply {
	a := s.agentByID(c.params["userId"])
	if a == nil {
		return c.notFound()
	}
	return s.oneChannel(c, a)
}

// oneChannel shows voice also where the list does not. Guess: no source has this answer.
func (s *Server) oneChannel(c *call, a *agent) reply {
	channels := s.showChannels(a, true)
	i := slices.IndexFunc(channels, func(shown htccapi.Channel) bool { return string(shown.Channel) == c.params["channel"] })
	if i < 0 {
		return c.notFound()
	}
	return c.one("channel", channels[i])
}

func getMySkills(s *Server, c *call) reply {
	return c.list("skills", objectsOf(s.showSkills(c.session.agent)))
}

func getTheirSkills(s *Server, c *call) reply {
	a := s.agentByID(c.params["userId"])
	if a == nil {
		return c.notFound()
	}
	return c.list("skills", objectsOf(s.showSkills(a)))
}

func getMyCalls(_ *Server, c *call) reply { return c.list("calls", objectsOf(c.session.agent.calls)) }

// getMyCall answers GET /me/calls/{callId}, which is the uri of a call. Guess: a call that was released is gone.
func getMyCall(_ *Server, c *call) reply {
	for _, one := range c.session.agent.calls {
		if one.ID == c.params["callId"] {
			return c.one("call", one)
		}
	}
	return c.notFound()
}

// wantsURIs says whether a list is to show where its objects are instead of them.
func (c *call) wantsURIs() bool {
	return c.dialect != htccapi.DialectStatus && !c.request.URL.Query().Has(fieldsParameter)
}

// uris is such a list, of objects that have no member uri.
func (c *call) uris(s *Server, a *agent, path string, objects []object, key string) reply {
	uris := []string{}
	for _, o := range filter(objects, c.request.URL.Query()) {
		id, _ := o.text(key)
		uris = append(uris, s.uri(a, path+id))
	}
	return c.success(member{"uris", uris})
}
