package proxy

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"portico/proxy/fault"
	"portico/proxy/gateway"
	"portico/translate/htccapi"
)

// getMe answers GET /me: the agent, with the sub-resources asked for.
func getMe(c *call) (any, error) {
	query := c.Request.URL.Query()
	asked := selected(query, paramSubresources)
	var wanted []subresource
	var names []string
	for _, sub := range subresources {
		if asked.named(sub.name) || asked.all && !sub.byNameOnly {
			wanted = append(wanted, sub)
			names = append(names, sub.name)
		}
	}
	me, err := c.me(names)
	if err != nil {
		return nil, err
	}
	form := string(appendForm(nil, c.dialect, c.Request.URL.RawQuery))
	kept := me.Kept.Get(form)
	if kept != nil {
		return raw{status: http.StatusOK, body: kept}, nil
	}
	answer, err := c.whole(me, wanted, selected(query, paramFields))
	if err != nil {
		return nil, err
	}
	encoded, err := encode(http.StatusOK, answer)
	if err == nil {
		me.Kept.Put(form, encoded.body)
	}
	return encoded, err
}

// appendForm adds the name of the form in which an answer to GET /me is kept. It names all that the answer
// depends on besides what is shown.
func appendForm[T string | []byte](name []byte, dialect htccapi.Dialect, query T) []byte {
	name = append(name, dialect...)
	name = append(name, '?')
	return append(name, query...)
}

// whole returns the agent with the sub-resources wanted, and of its own fields those.
func (c *call) whole(me gateway.Me, wanted []subresource, fields selection) (any, error) {
	agent, err := restrict(me.User, fields)
	if err != nil {
		return nil, err
	}
	user := extended{object: agent}
	for _, sub := range wanted {
		err = user.embed(sub, me, c.dialect)
		if err != nil {
			return nil, err
		}
	}
	if c.dialect == htccapi.DialectStatus {
		return user, nil
	}
	return htccapi.UserAnswer{Verdict: read(c.dialect), User: user}, nil
}

// headerStateAge says how old devices and channels are, in seconds: since their site last showed that
// nothing else holds.
const headerStateAge = "Portico-State-Age"

// me returns the agent, and tells the caller the age of what it says.
func (c *call) me(names []string) (gateway.Me, error) {
	me, err := c.door.gateway.Me(c.context(), c.agent, names)
	if err == nil {
		c.Writer.Header()[headerStateAge] = []string{string(appendAge(nil, me.Age))}
	}
	return me, err
}

func appendAge(text []byte, age time.Duration) []byte {
	return strconv.AppendFloat(text, age.Seconds(), 'f', 3, 64)
}

// A subresource is a name that GET /me knows.
type subresource struct {
	name       string
	byNameOnly bool                                // * does not bring it
	of         func(gateway.Me) []gateway.Resource // nil: what a site has of it, else empty
	empty      any
	live       bool // what is not known is left out, and not said to be none
}

// subresources are those that GET /me knows. What no site of the agent has is there and empty, since
// applications are known that fail without it: but for calls, chats and interactions where a site could not be asked,
// as who reads that there are none gives up what goes on.
//
// Source: captured traffic of GWS 8.5.202.96 (* does not bring features).
var subresources = []subresource{
	{htccapi.SubFeatures, true, func(me gateway.Me) []gateway.Resource { return me.Features }, nil, false},
	{htccapi.SubDevices, false, func(me gateway.Me) []gateway.Resource { return me.Devices }, nil, false},
	{htccapi.SubSkills, false, nil, []htccapi.Skill{}, false},
	{htccapi.SubChannels, false, func(me gateway.Me) []gateway.Resource { return me.Channels }, nil, false},
	{htccapi.SubCalls, false, nil, []htccapi.Interaction{}, true},
	{htccapi.SubInteractions, false, nil, []htccapi.Interaction{}, true},
	{htccapi.SubChats, false, nil, []htccapi.Interaction{}, true},
	{htccapi.SubSettings, false, nil, htccapi.SettingSections{}, false},
}

// channelStates repeats the channels in dialect StatusCode.
//
// Source: captured traffic of GWS 8.5.202.96.
const channelStates = "channelStates"

// embed adds a sub-resource to the agent.
func (e *extended) embed(sub subresource, me gateway.Me, dialect htccapi.Dialect) error {
	value, given := me.More[sub.name]
	if sub.of != nil {
		value, _ = bodies(sub.of(me), selection{}) // whole ones cannot fail
	} else if !given {
		if sub.live && me.Unread {
			return nil
		}
		value = sub.empty
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("proxy: encode %s: %w", sub.name, err)
	}
	e.more = append(e.more, member{sub.name, encoded})
	if sub.name == htccapi.SubChannels && dialect == htccapi.DialectStatusCode {
		e.more = append(e.more, member{channelStates, encoded})
	}
	return nil
}

// getDevices answers GET /me/devices.
func getDevices(c *call) (any, error) {
	me, err := c.me(nil)
	if err != nil {
		return nil, err
	}
	return collection(c, me.Devices, "/me/devices/",
		func(list any) any { return htccapi.DevicesAnswer{Verdict: read(c.dialect), Devices: list} })
}

// getChannels answers GET /me/channels.
func getChannels(c *call) (any, error) {
	me, err := c.me(nil)
	if err != nil {
		return nil, err
	}
	return collection(c, me.Channels, "/me/channels/",
		func(list any) any { return htccapi.ChannelsAnswer{Verdict: read(c.dialect), Channels: list} })
}

// collection answers with what of items the query asks for: objects, as answer has them, or in
// dialect StatusCode without fields their URIs.
//
// Source: HTCC 8.5.0, Request parameters (fields on a collection).
func collection(c *call, items []gateway.Resource, path string, answer func(list any) any) (any, error) {
	query := c.Request.URL.Query()
	items, err := filter(items, query)
	if err != nil {
		return nil, err
	}
	fields := selected(query, paramFields)
	if c.dialect == htccapi.DialectStatus || fields.given {
		list, err := bodies(items, fields)
		return answer(list), err
	}
	uris := []string{}
	for _, item := range items {
		uris = append(uris, c.door.settings.PublicURL+prefixV2+path+url.PathEscape(item.ID))
	}
	return htccapi.URIsAnswer{Verdict: read(c.dialect), URIs: uris}, nil
}

// getDevice answers GET /me/devices/{id}.
func getDevice(c *call) (any, error) {
	me, err := c.me(nil)
	if err != nil {
		return nil, err
	}
	device, err := single(c, "device", c.Param("id"), me.Devices)
	return htccapi.DeviceAnswer{Verdict: read(c.dialect), Device: device}, err
}

// getChannel answers GET /me/channels/{channel}.
func getChannel(c *call) (any, error) {
	me, err := c.me(nil)
	if err != nil {
		return nil, err
	}
	channel, err := single(c, "channel", c.Param("channel"), me.Channels)
	if errors.Is(err, fault.NotFound) {
		channel, err = c.unlisted(c.Param("channel"), me.Channels, err)
	}
	return htccapi.ChannelAnswer{Verdict: read(c.dialect), Channel: channel}, err
}

// unlisted returns a channel that is not among those listed and that an HTCC site may have all the same, with the fields
// that the query asks for. Where none is to be asked it fails with none.
func (c *call) unlisted(name string, listed []gateway.Resource, none error) (any, error) {
	channel, asked, err := c.door.gateway.UnlistedChannel(c.context(), c.agent, htccapi.MediaChannel(name))
	switch {
	case !asked:
		return nil, none
	case errors.Is(err, fault.NotFound):
		text := fmt.Sprintf("there is no channel %q at HTCC; this agent's list has: %s", shorten(name), idsOf(listed))
		return nil, &fault.Error{Kind: fault.NotFound, Public: text, Err: err}
	case err != nil:
		return nil, err
	}
	return restrict(channel.Body, selected(c.Request.URL.Query(), paramFields))
}

// single returns the item of that id with the fields that the query asks for. Without one the error
// says which there are.
func single(c *call, thing, id string, items []gateway.Resource) (any, error) {
	at := slices.IndexFunc(items, func(item gateway.Resource) bool { return item.ID == id })
	if at >= 0 {
		return restrict(items[at].Body, selected(c.Request.URL.Query(), paramFields))
	}
	return nil, fault.New(fault.NotFound, fmt.Sprintf("there is no %s %q; this agent has: %s", thing, shorten(id), idsOf(items)))
}

// idsOf lists what items are found by, for a text.
func idsOf(items []gateway.Resource) string {
	if len(items) == 0 {
		return "none"
	}
	ids := make([]string, len(items))
	for i, item := range items {
		ids[i] = item.ID
	}
	return strings.Join(ids, ", ")
}
