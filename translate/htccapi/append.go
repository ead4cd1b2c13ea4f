package htccapi

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// The two notifications of every change of state append themselves as encoding/json would encode them, <, > and &
// as they are: reflection over them was a twelfth of what an event costs (`make bench-push`).

// AppendJSON appends m as JSON.
func (m DeviceStateChangeMessage) AppendJSON(out []byte) []byte {
	out = appendMember(append(out, '{'), "messageType", m.MessageType)
	out = appendList(appendName(out, "devices"), m.Devices, Device.appendJSON)
	return append(out, '}')
}

// AppendJSON appends m as JSON.
func (m ChannelStateChangeMessage) AppendJSON(out []byte) []byte {
	out = appendMember(append(out, '{'), "messageType", m.MessageType)
	out = appendList(appendName(out, "channels"), m.Channels, Channel.appendJSON)
	return append(out, '}')
}

func (d Device) appendJSON(out []byte) []byte {
	out = appendMember(append(out, '{'), "id", d.ID)
	out = appendMember(out, "deviceState", d.DeviceState)
	if d.UserState != nil {
		out = d.UserState.appendJSON(appendName(out, "userState"))
	}
	out = appendMember(out, "phoneNumber", d.PhoneNumber)
	out = appendMember(out, "description", d.Description)
	out = appendMember(out, "e164Number", d.E164Number)
	out = appendMember(out, "telephonyNetwork", d.TelephonyNetwork)
	out = appendMember(out, "doNotDisturb", d.DoNotDisturb)
	out = appendUnlessEmpty(out, "forwardTo", d.ForwardTo)
	out = appendMember(out, "voiceEnvironmentUri", d.VoiceEnvironmentURI)
	out = appendList(appendName(out, "capabilities"), d.Capabilities, Operation.appendJSON)
	out = appendList(appendName(out, "channels"), d.Channels, MediaChannel.appendJSON)
	return append(appendMember(out, "dynamicPhoneNumber", d.DynamicPhoneNumber), '}')
}

func (c Channel) appendJSON(out []byte) []byte {
	out = appendMember(append(out, '{'), "channel", string(c.Channel))
	out = c.UserState.appendJSON(appendName(out, "userState"))
	out = appendUnlessEmpty(out, "dndState", c.DNDState)
	out = appendUnlessEmpty(out, "phoneNumber", c.PhoneNumber)
	out = appendUnlessEmpty(out, "switchName", c.SwitchName)
	return append(appendUnlessEmpty(out, "userActivity", c.UserActivity), '}')
}

func (s UserState) appendJSON(out []byte) []byte {
	out = appendUnlessEmpty(append(out, '{'), "id", s.ID)
	out = appendUnlessEmpty(out, "displayName", s.DisplayName)
	out = appendMember(out, "state", s.State)
	out = appendUnlessEmpty(out, "workMode", s.WorkMode)
	return append(appendUnlessEmpty(out, "reason", s.Reason), '}')
}

func (o Operation) appendJSON(out []byte) []byte { return appendText(out, string(o)) }

func (m MediaChannel) appendJSON(out []byte) []byte { return appendText(out, string(m)) }

// appendList appends a list; one that is nil is null.
func appendList[T any](out []byte, list []T, element func(T, []byte) []byte) []byte {
	if list == nil {
		return append(out, "null"...)
	}
	out = append(out, '[')
	for i, one := range list {
		if i > 0 {
			out = append(out, ',')
		}
		out = element(one, out)
	}
	return append(out, ']')
}

// appendName begins the next member of an object.
func appendName(out []byte, name string) []byte {
	if out[len(out)-1] != '{' { // where the object begins
		out = append(out, ',')
	}
	return append(append(append(out, '"'), name...), `":`...)
}

func appendMember(out []byte, name, value string) []byte {
	return appendText(appendName(out, name), value)
}

func appendUnlessEmpty(out []byte, name, value string) []byte {
	if value == "" {
		return out
	}
	return appendMember(out, name, value)
}

// appendText appends a string. What is to be escaped is left to encoding/json.
func appendText(out []byte, text string) []byte {
	if isPlain(text) {
		return append(append(append(out, '"'), text...), '"')
	}
	var quoted bytes.Buffer
	encoder := json.NewEncoder(&quoted)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string encodes, whatever is in it
	return append(out, bytes.TrimSuffix(quoted.Bytes(), []byte("\n"))...)
}

// isPlain reports whether nothing in text is escaped in JSON.
func isPlain(text string) bool {
	foreign := false
	for i := range len(text) {
		c := text[i]
		if c < ' ' || c == '"' || c == '\\' {
			return false
		}
		foreign = foreign || c >= utf8.RuneSelf
	}
	return !foreign || utf8.ValidString(text) && !strings.Contains(text, "\u2028") && !strings.Contains(text, "\u2029")
}
