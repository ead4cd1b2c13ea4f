package push

import "testing"

func TestMatches(t *testing.T) {
	for _, test := range []struct {
		pattern, channel string
		want             bool
	}{
		{"/v2/me/devices", "/v2/me/devices", true},
		{"/v2/me/devices", "/v2/me/device", false},
		{"/v2/me/*", "/v2/me/devices", true},
		{"/v2/me/*", "/v2/me", false},
		{"/v2/me/*", "/v2/me/", false},
		{"/v2/me/*", "/v2/me/calls/7", false},
		{"/v2/me/**", "/v2/me/calls/7", true},
		{"/v2/me/**", "/v2/me/calls", true},
		{"/v2/me/**", "/v2/me", false},
		{"/v2/me/**", "/v2/meeting/x", false},
		{"/*", "/v2", true},
		{"/*", "/v2/me", false},
		{"/**", "/v2", true},
		{"/**", "/notifications/services", true},
	} {
		got := matches(test.pattern, test.channel)
		if got != test.want {
			t.Errorf("matches(%q, %q) = %v; want %v", test.pattern, test.channel, got, test.want)
		}
	}
}

func TestValidChannel(t *testing.T) {
	for _, test := range []struct {
		name             string
		channel, pattern bool
	}{
		{"/v2/me/devices", true, true},
		{"/a-b_c!~($)@.{x}/1", true, true},
		{"/v2/me/*", false, true},
		{"/v2/**", false, true},
		{"/**", false, true},
		{"/**/x", false, false},
		{"/v2/*x", false, false},
		{"/***", false, false},
		{"", false, false},
		{"/", false, false},
		{"v2/me", false, false},
		{"/v2//me", false, false},
		{"/v2/me/", false, false},
		{"/v2/\x00", false, false},
		{"/v2/é", false, false},
	} {
		channel, pattern := validChannel(test.name, false), validChannel(test.name, true)
		if channel != test.channel || pattern != test.pattern {
			t.Errorf("validChannel(%q) = %v, as a pattern %v; want %v, %v", test.name, channel, pattern, test.channel, test.pattern)
		}
	}
}
