package main

import (
	"slices"
	"testing"

	"portico/config"
	"portico/proxy/gateway"
)

// A name without a route counts for the accounts that the routes make of names like it, so that one who tries
// to log in as another of that account cannot tell it from a name with a route.
func TestRoutesOfNames(t *testing.T) {
	cfg := &config.Config{Routes: []config.Route{
		{Match: "anna@a.example", Sites: []string{"pc"}, Login: map[string]string{"pc": "{{.Local}}"}},
		{Match: "chief@a.example", Sites: []string{"pc"}, Login: map[string]string{"pc": "a.berg"}},
		{Match: "*@both.example", Sites: []string{"pc", "cloud"}, Login: map[string]string{"pc": "{{.Local}}"}},
		{Match: "*@depot", Sites: []string{"pc"}, Login: map[string]string{"pc": "{{.Domain}}"}},
	}}
	for login, want := range map[string][]gateway.Stop{
		"anna@a.example":    {{Site: "pc", Login: "anna"}},
		"chief@a.example":   {{Site: "pc", Login: "a.berg"}},
		"cleo@both.example": {{Site: "pc", Login: "cleo"}, {Site: "cloud", Login: "cleo@both.example"}},
		"dora@a.example":    {{Site: "pc", Login: "dora"}, {Site: "cloud", Login: "dora@a.example"}},
		"@both.example":     {{Site: "cloud", Login: "@both.example"}}, // whose login at pc would be empty
	} {
		route, found := routes(cfg)(login)
		if routed := login != "dora@a.example" && login != "@both.example"; found != routed || !slices.Equal(route.Stops, want) {
			t.Errorf("%s leads to %v, %v; want %v, %v", login, route.Stops, found, want, routed)
		}
	}
}
