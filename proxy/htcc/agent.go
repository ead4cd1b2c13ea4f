package htcc

import (
	"fmt"

	"portico/translate/htccapi"
)

// A Device is a phone of the agent, the same in answers and in notifications.
//
// Source: GWS 8.5.2, Devices; captured traffic of GWS 8.5.202.96.
type Device struct{ Object }

// ID returns the device's id.
func (d Device) ID() string { return d.Text("id") }

// UserState returns the agent's state on the device; an inactive one has none.
func (d Device) UserState() (htccapi.UserState, bool) { return d.userState() }

// DoNotDisturb returns htccapi.On, htccapi.Off, or "" if the server does not say.
func (d Device) DoNotDisturb() string { return d.Text("doNotDisturb") }

// A Channel is the agent's state on one media channel, the same in answers and in notifications.
//
// Source: vendor reference, Channels API; captured traffic of GWS 8.5.202.96.
type Channel struct{ Object }

// Name returns the name of the channel.
func (c Channel) Name() htccapi.MediaChannel { return htccapi.MediaChannel(c.Text("channel")) }

// UserState returns the agent's state on the channel.
func (c Channel) UserState() (htccapi.UserState, bool) { return c.userState() }

// DoNotDisturb returns htccapi.On, htccapi.Off, or "" if the server does not say.
func (c Channel) DoNotDisturb() string { return c.Text("dndState") }

// Devices returns the devices in a user object or in the data of a DeviceStateChangeMessage, nil
// if it has none. It fails with an error of no kind if they are no list of objects.
func Devices(o Object) ([]Device, error) {
	list, err := o.objects(htccapi.SubDevices)
	if err != nil {
		return nil, fmt.Errorf("htcc: read devices: %w", err)
	}
	return wrap(list, func(o Object) Device { return Device{o} }), nil
}

// Channels returns the channels in a user object or in the data of a ChannelStateChangeMessageV2,
// nil if it has none: an agent may have no channels but voice, and while the server behind them is
// down they are missing. It fails with an error of no kind if they are no list of objects.
func Channels(o Object) ([]Channel, error) {
	list, err := o.objects(htccapi.SubChannels)
	if err != nil {
		return nil, fmt.Errorf("htcc: read channels: %w", err)
	}
	return wrap(list, func(o Object) Channel { return Channel{o} }), nil
}

// wrap gives each object its type; nil stays nil.
func wrap[T any](list []Object, as func(Object) T) []T {
	if list == nil {
		return nil
	}
	wrapped := make([]T, len(list))
	for i, o := range list {
		wrapped[i] = as(o)
	}
	return wrapped
}
