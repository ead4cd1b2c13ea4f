package proxy

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"portico/proxy/fault"
	"portico/proxy/gateway"
	"portico/translate/htccapi"
)

// getMe answers GET /me: the agent, with the sub-resources asked for.
func getMe(c *call) (any, error) {
	me, err := c.door.gateway.Me(c.context(), c.agent)
	if err != nil {
		return nil, err
	}
	query := c.Request.URL.Query()
	whole := htccapi.Me{User: me.User}
	asked := selected(query, paramSubresources)
	fields := selected(query, paramFields)
	for _, sub := range subresources {
		if asked.named(sub.name) || asked.all && !sub.byNameOnly {
			sub.embed(&whole, me)
			fields.names = append(fields.names, sub.name) // it was asked for, if not as a field
		}
	}
	if c.dialect == htccapi.DialectStatusCode {
		whole.ChannelStates = whole.Channels
		fields.names = append(fields.names, "channelStates")
	}
	user, err := restrict(whole, fields)
	if err != nil || c.dialect == htccapi.DialectStatus {
		return user, err
	}
	return htccapi.UserAnswer{Verdict: read(c.dialect), User: user}, nil
}

// subresources are the names that GET /me knows and what each embeds. Portico keeps no skills,
// interactions and settings; they are there and empty, since applications are known that fail
// without them.
//
// Source: captured traffic of GWS 8.5.202.96 (* does not bring features).
var subresources = []struct {
	name       string
	byNameOnly bool // * does not bring it
	embed      func(into *htccapi.Me, me gateway.Me)
}{
	{htccapi.SubFeatures, true, func(into *htccapi.Me, me gateway.Me) { into.Features = me.Features }},
	{htccapi.SubDevices, false, func(into *htccapi.Me, me gateway.Me) { into.Devices = me.Devices }},
	{htccapi.SubChannels, false, func(into *htccapi.Me, me gateway.Me) { into.Channels = me.Channels }},
	{htccapi.SubSkills, false, func(into *htccapi.Me, _ gateway.Me) { into.Skills = []htccapi.Skill{} }},
	{htccapi.SubCalls, false, func(into *htccapi.Me, _ gateway.Me) { into.Calls = []htccapi.Interaction{} }},
	{htccapi.SubInteractions, false, func(into *htccapi.Me, _ gateway.Me) { into.Interactions = []htccapi.Interaction{} }},
	{htccapi.SubChats, false, func(into *htccapi.Me, _ gateway.Me) { into.Chats = []htccapi.Interaction{} }},
	{htccapi.SubSettings, false, func(into *htccapi.Me, _ gateway.Me) { into.Settings = htccapi.SettingSections{} }},
}

// getDevices answers GET /me/devices.
func getDevices(c *call) (any, error) {
	me, err := c.door.gateway.Me(c.context(), c.agent)
	if err != nil {
		return nil, err
	}
	return collection(c, me.Devices, "/me/devices/", deviceID,
		func(list any) any { return htccapi.DevicesAnswer{Verdict: read(c.dialect), Devices: list} })
}

// getChannels answers GET /me/channels.
func getChannels(c *call) (any, error) {
	me, err := c.door.gateway.Me(c.context(), c.agent)
	if err != nil {
		return nil, err
	}
	return collection(c, me.Channels, "/me/channels/", channelName,
		func(list any) any { return htccapi.ChannelsAnswer{Verdict: read(c.dialect), Channels: list} })
}

// collection answers with what of items the query asks for: objects, as answer has them, or in
// dialect StatusCode without fields their URIs.
//
// Source: HTCC 8.5.0, Request parameters (fields on a collection).
func collection[T any](c *call, items []T, path string, id func(T) string, answer func(list any) any) (any, error) {
	query := c.Request.URL.Query()
	items, err := filter(items, query)
	if err != nil {
		return nil, err
	}
	fields := selected(query, paramFields)
	if c.dialect == htccapi.DialectStatus || fields.given {
		list, err := restrictAll(items, fields)
		return answer(list), err
	}
	uris := []string{}
	for _, item := range items {
		uris = append(uris, c.door.settings.PublicURL+prefixV2+path+url.PathEscape(id(item)))
	}
	return htccapi.URIsAnswer{Verdict: read(c.dialect), URIs: uris}, nil
}

// getDevice answers GET /me/devices/{id}.
func getDevice(c *call) (any, error) {
	me, err := c.door.gateway.Me(c.context(), c.agent)
	if err != nil {
		return nil, err
	}
	id := c.Param("id")
	at := slices.IndexFunc(me.Devices, func(d htccapi.Device) bool { return d.ID == id })
	if at < 0 {
		return nil, noSuch("device", id, me.Devices, deviceID)
	}
	device, err := restrict(me.Devices[at], selected(c.Request.URL.Query(), paramFields))
	return htccapi.DeviceAnswer{Verdict: read(c.dialect), Device: device}, err
}

// getChannel answers GET /me/channels/{channel}.
func getChannel(c *call) (any, error) {
	me, err := c.door.gateway.Me(c.context(), c.agent)
	if err != nil {
		return nil, err
	}
	name := htccapi.MediaChannel(c.Param("channel"))
	at := slices.IndexFunc(me.Channels, func(ch htccapi.Channel) bool { return ch.Channel == name })
	if at < 0 {
		return nil, noSuch("channel", string(name), me.Channels, channelName)
	}
	channel, err := restrict(me.Channels[at], selected(c.Request.URL.Query(), paramFields))
	return htccapi.ChannelAnswer{Verdict: read(c.dialect), Channel: channel}, err
}

func deviceID(d htccapi.Device) string { return d.ID }

func channelName(c htccapi.Channel) string { return string(c.Channel) }

// noSuch says that the agent has no thing of that id, and which there are.
func noSuch[T any](thing, id string, items []T, idOf func(T) string) error {
	has := "none"
	if len(items) > 0 {
		names := make([]string, len(items))
		for i, item := range items {
			names[i] = idOf(item)
		}
		has = strings.Join(names, ", ")
	}
	return fault.New(fault.NotFound, fmt.Sprintf("there is no %s %q; this agent has: %s", thing, shorten(id), has))
}
