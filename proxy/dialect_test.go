package proxy

import (
	"testing"

	"portico/translate/htccapi"
)

func TestDescribe(t *testing.T) {
	for _, test := range []struct {
		name   string
		failed []htccapi.ChannelResult
		want   string
	}{
		{"one channel", []htccapi.ChannelResult{{Channel: "chat", StatusMessage: "no permission"}}, "chat: no permission"},
		{"two with one reason", []htccapi.ChannelResult{{Channel: "chat", StatusMessage: "internal error"}, {Channel: "email", StatusMessage: "internal error"}},
			"chat, email: internal error"},
		{"two with two reasons", []htccapi.ChannelResult{{Channel: "voice", StatusMessage: "no permission"}, {Channel: "email", StatusMessage: "internal error"}},
			"voice: no permission; email: internal error"},
	} {
		got := describe(test.failed)
		if got != test.want {
			t.Errorf("describe of %s = %q; want %q", test.name, got, test.want)
		}
	}
}
