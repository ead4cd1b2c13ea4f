package proxy

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"portico/translate/htccapi"
)

// A thing is an object in JSON, with whatever members it has.
type thing map[string]any

// A picture is what an application knows of its agent: what it read, and has since been told.
type picture struct{ devices, channels []thing }

// readPicture returns what a body of GET /me says.
func readPicture(t testing.TB, body string) picture {
	t.Helper()
	var answer struct {
		User struct{ Devices, Channels []thing }
	}
	err := json.Unmarshal([]byte(body), &answer)
	if err != nil {
		t.Fatal(err)
	}
	return picture{answer.User.Devices, answer.User.Channels}
}

// learn takes a notification in: devices are put in the place of those with their ids, and the list of
// channels in that of the whole list, as the public .NET client does. What has another name, or comes
// on another topic, is nothing to it.
func (p *picture) learn(topic string, n notification) {
	switch topic + " " + n.MessageType {
	case htccapi.TopicDevices + " " + htccapi.TypeDeviceStateChange:
		devices := slices.Clone(p.devices) // someone may be looking at these
		for _, device := range n.Devices {
			devices = slices.DeleteFunc(devices, func(old thing) bool { return old["id"] == device["id"] })
			devices = append(devices, device)
		}
		p.devices = devices
	case htccapi.TopicChannels + " " + htccapi.TypeChannelStateChange:
		p.channels = n.Channels
	}
}

// plain is the picture without do-not-disturb of each channel, which notifications carry and reads do
// not.
func (p picture) plain() picture {
	channels := make([]thing, len(p.channels))
	for i, channel := range p.channels {
		channels[i] = maps.Clone(channel)
		delete(channels[i], "dndState")
	}
	return picture{p.devices, channels}
}

// quiet reports whether do-not-disturb of each channel is as wanted.
func (p picture) quiet(dnd string) bool {
	return !slices.ContainsFunc(p.channels, func(channel thing) bool { return channel["dndState"] != nil && channel["dndState"] != dnd })
}

// A day is what an application shows: the states of voice and of the second channel, and whether
// do-not-disturb is on.
type day struct{ voice, second, dnd string }

// day returns what is shown of a picture: voice by its device, as applications show it.
func (p picture) day(t testing.TB, second string) day {
	t.Helper()
	var devices []htccapi.Device
	var channels []htccapi.Channel
	recode(t, p.devices, &devices)
	recode(t, p.channels, &channels)
	var shown day
	for _, device := range devices {
		shown.voice, shown.dnd = stateText(device.UserState), device.DoNotDisturb
	}
	for _, channel := range channels {
		if string(channel.Channel) == second {
			shown.second = stateText(&channel.UserState)
		}
	}
	return shown
}

// recode reads what was read as things once more, as something narrower.
func recode(t testing.TB, from, to any) {
	t.Helper()
	text, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(text, to)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// stateText is a state with its work mode; the reason is each site's own.
func stateText(s *htccapi.UserState) string {
	if s == nil {
		return ""
	}
	return s.State + s.WorkMode
}
