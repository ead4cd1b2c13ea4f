package proxy

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// onlySome are the members that one kind of site has alone, or only at times, and why.
var onlySome = map[string]string{
	"channel.phoneNumber":  "HTCC may list voice with its number",
	"channel.switchName":   "HTCC may list voice with its switch",
	"channel.userActivity": "voice alone has it, which HTCC may show as a device only",
	"device.forwardTo":     "an HTCC device that forwards its calls",
	"userState.reason":     "a custom state has it",
	"userState.workMode":   "some states have it",
	"setting.reason":       "a custom state has it",
	"setting.workMode":     "some states have it",
	"skill":                "an ICWS site tells no skills",
}

// TestSameShapes compares members and types of everything that /me shows, of agents of either kind of
// site and of both, in several states.
func TestSameShapes(t *testing.T) {
	shapes := map[string]map[string]string{} // by agent: member, and its type
	for _, agent := range []string{"anna", "bjorn", "cleo"} {
		w := newDoor(t)
		app := w.as(agent)
		shape := map[string]string{}
		shapes[agent] = shape
		second := map[string]string{"anna": "email", "bjorn": "chat", "cleo": "chat"}[agent]
		app.post("/api/v2/me", `{"operationName":"StartContactCenterSession","channels":["voice","`+second+`"]}`)
		eventually(t, "both channels are there", func() bool { return strings.Contains(app.state(), second+":NotReady") })
		for _, operation := range []string{"NotReady", "Ready", "DoNotDisturbOn", "DoNotDisturbOff"} {
			app.operate("/me", operation)
			for _, path := range []string{"/me?subresources=*", "/api/v2/me?subresources=*,features"} {
				readShape(t, shape, app.get(path).body)
			}
		}
		for _, path := range []string{"/me/devices", "/me/channels", "/settings/agent-states", "/api/v2/me/devices?fields=*", "/api/v2/me/channels?fields=*",
			"/api/v2/settings/agent-states", "/api/v2/me/devices", "/api/v2/me/channels"} {
			readShape(t, shape, app.get(path).body)
		}
	}
	for agent, shape := range shapes {
		for member, kind := range shapes["bjorn"] {
			if shape[member] == "" && onlySome[member] == "" && onlySome[strings.Split(member, ".")[0]] == "" {
				t.Errorf("%s has no %s, which is a %s of bjorn", agent, member, kind)
			}
		}
		for member, kind := range shape {
			other := shapes["bjorn"][member]
			if other != kind && (other != "" || onlySome[member] == "") {
				t.Errorf("%s is a %s of %s, and a %q of bjorn", member, kind, agent, other)
			}
		}
	}
	if n := len(shapes["bjorn"]); n < 50 {
		t.Errorf("%d members were compared: %v", n, slices.Sorted(maps.Keys(shapes["bjorn"])))
	}
}

// readShape adds to shape what members the objects in a body have, by the kind of object.
func readShape(t testing.TB, shape map[string]string, body string) {
	t.Helper()
	var answer map[string]any
	err := json.Unmarshal([]byte(body), &answer)
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	kind := "answer"
	if answer["userName"] != nil {
		kind = "user" // dialect Status wraps it in nothing
	}
	addShape(shape, kind, answer)
}

// kinds are the objects in lists, and in members, by their names.
var kinds = map[string]string{"user": "user", "devices": "device", "channelStates": "channel", "features": "feature", "skills": "skill", "userState": "userState"}

func addShape(shape map[string]string, kind string, object map[string]any) {
	for name, value := range object {
		inner := kinds[name]
		switch {
		case name == "channels" && kind != "device":
			inner = "channel"
		case name == "settings" && kind == "answer":
			inner = "setting"
		}
		shape[kind+"."+name] = fmt.Sprintf("%T", value)
		if kind == "answer" && (name == "devices" || name == "channels" || name == "settings" || name == "user") || inner != "" {
			for _, one := range listOf(value) {
				addShape(shape, inner, one)
			}
		}
	}
}

// listOf returns the objects in a list, or the one that value is.
func listOf(value any) []map[string]any {
	one, isObject := value.(map[string]any)
	if isObject {
		return []map[string]any{one}
	}
	var objects []map[string]any
	list, _ := value.([]any)
	for _, entry := range list {
		object, isObject := entry.(map[string]any)
		if isObject {
			objects = append(objects, object)
		}
	}
	return objects
}
