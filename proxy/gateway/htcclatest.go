package gateway

import (
	"slices"

	"portico/proxy/htcc"
	"portico/translate/htccapi"
)

// A latest tells which messages were the last about each device and channel, by how many had come with them, since
// messages come while the state is read: what they tell is as new as what is read, or newer, and of all else what is
// read is. The zero latest is ready.
type latest struct {
	devices  map[string]int
	channels map[htccapi.MediaChannel]int
	none     int // that there are no channels
}

// layLocked lays over what was read what messages have told of devices and channels since so many had come. They are in
// what was known before the read was taken.
func (p *htccPart) layLocked(told int, devices []htcc.Device, channels []htcc.Channel) {
	if p.latest.none > told {
		p.channels = nil
	}
	p.devices = laidOver(p.devices, since(told, p.latest.devices, devices, htcc.Device.ID), htcc.Device.ID)
	p.channels = laidOver(p.channels, since(told, p.latest.channels, channels, htcc.Channel.Name), htcc.Channel.Name)
}

// since returns the items of a list about which a message came after so many.
func since[T any, K comparable](told int, last map[K]int, list []T, key func(T) K) []T {
	return slices.DeleteFunc(slices.Clone(list), func(item T) bool { return last[key(item)] <= told })
}

// applyLocked takes what a message says of devices and channels, and returns which channels it is about.
func (p *htccPart) applyLocked(messageType string, message htcc.Object) []htccapi.MediaChannel {
	if messageType == htccapi.TypeDeviceStateChange || messageType == htccapi.TypeChannelStateChange {
		p.moments.told++
	}
	switch messageType {
	case htccapi.TypeDeviceStateChange:
		p.unheard.came.devices++
		devices, err := htcc.Devices(message)
		if err == nil {
			p.devices = laidOver(p.devices, devices, htcc.Device.ID)
			noteLast(&p.latest.devices, devices, htcc.Device.ID, p.moments.told)
		}
	case htccapi.TypeChannelStateChange:
		p.unheard.came.channels++
		return p.applyChannelsLocked(message)
	}
	return nil
}

func (p *htccPart) applyChannelsLocked(message htcc.Object) []htccapi.MediaChannel {
	channels, err := htcc.Channels(message)
	about := channels
	if err == nil && len(channels) == 0 {
		about, p.channels = p.channels, nil
		p.latest.none = p.moments.told
	} else if err == nil {
		p.channels = laidOver(p.channels, channels, htcc.Channel.Name)
		noteLast(&p.latest.channels, channels, htcc.Channel.Name, p.moments.told)
	}
	var names []htccapi.MediaChannel
	for _, channel := range about {
		names = append(names, channel.Name())
	}
	return names
}

// noteLast notes that a message about the items came as the so manyth.
func noteLast[T any, K comparable](last *map[K]int, items []T, key func(T) K, told int) {
	if *last == nil {
		*last = map[K]int{}
	}
	for _, item := range items {
		(*last)[key(item)] = told
	}
}

// laidOver returns list with the items of change in place of those with the same key, and at the
// end those that are new.
func laidOver[T any, K comparable](list, change []T, key func(T) K) []T {
	list = slices.Clone(list)
	for _, item := range change {
		at := slices.IndexFunc(list, func(old T) bool { return key(old) == key(item) })
		if at < 0 {
			list = append(list, item)
			continue
		}
		list[at] = item
	}
	return list
}
