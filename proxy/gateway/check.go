package gateway

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"portico/proxy/fault"
	"portico/translate/htccapi"
)

// CheckChannel fails with fault.NotFound unless the agent has the channel, whether or not its site
// can be reached; else as Me does.
func (g *Gateway) CheckChannel(ctx context.Context, a *Agent, channel htccapi.MediaChannel) error {
	_, err := a.part.ready(ctx)
	if err != nil {
		return err
	}
	has := a.part.site.Rules.ChannelNames(a.part.current())
	if slices.Contains(has, channel) {
		return nil
	}
	var names []string
	for _, name := range has {
		names = append(names, string(name))
	}
	return fault.New(fault.NotFound, fmt.Sprintf("there is no channel %q; this agent has: %s", channel, listed(names)))
}

// CheckDevice fails with fault.NotFound unless the agent has the device; else as Me does.
func (g *Gateway) CheckDevice(ctx context.Context, a *Agent, id string) error {
	me, err := a.part.show(ctx)
	if err != nil {
		return err
	}
	var has []string
	for _, device := range me.Devices {
		if device.ID == id {
			return nil
		}
		has = append(has, device.ID)
	}
	return fault.New(fault.NotFound, fmt.Sprintf("there is no device %q; this agent has: %s", id, listed(has)))
}

func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
