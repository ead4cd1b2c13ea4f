package icwssim

import (
	"strings"
	"testing"
)

func TestAcceptedSubscriptions(t *testing.T) {
	for _, test := range []struct {
		name, path, body string
		put, del         int
		message          []string
	}{
		{"a queue is empty", "/queues/q1", `{"queueIds":[{"queueType":"1","queueName":"anna"}],"attributeNames":["Eic_State"]}`, 200, 204,
			[]string{`"__type":"urn:inin.com:queues:queueContentsMessage","isDelta":false,"subscriptionId":"q1","interactionsAdded":[]`}},
		{"handlers are silent", "/system/handler-sent-notifications", `{"headers":[{"objectId":"1","eventIds":["2"]}]}`, 204, 200, nil},
		{"licences are not held", "/licenses", `{"licenseList":["I3_ACCESS_CLIENT"]}`, 200, 200, []string{`[{"name":"I3_ACCESS_CLIENT","isAssigned":false}]`}},
		{"sessions of users", "/session/sessions-users", `{"userIds":["anna","cleo"]}`, 200, 200,
			[]string{`"isDelta":false,"sessionsAdded":[{"applicationName":"test","machineName":"ic1.example","stationId":{"id":"STATIONLESS"},"userId":"anna","reason":0}]`}},
		{"sessions of stations", "/session/sessions-stations", `{"stationIds":["stationless"]}`, 200, 200,
			[]string{`"isDelta":false,"sessionsAdded":[{"applicationName":"test","machineName":"ic1.example","stationId":{"id":"STATIONLESS"},"userId":"anna","reason":0}]`}},
		{"sessions of layouts", "/session/sessions-layouts", `{"layoutIds":["x"]}`, 200, 200, []string{`sessionsMessage`}},
		{"the station is none", "/connection/station", ``, 200, 200, []string{`stationConnectionStateChangeMessage`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &Server{}
			inBubble(t, s, func(t *testing.T) {
				c := loggedIn(t, s, "anna")
				if got := c.do("PUT", "/messaging/subscriptions"+test.path, test.body); got.status != test.put {
					t.Errorf("PUT = %d; want %d", got.status, test.put)
				}
				wantList(t, "messages", c.poll(), test.message...)
				if got := c.do("DELETE", "/messaging/subscriptions"+test.path, ""); got.status != test.del {
					t.Errorf("DELETE = %d; want %d", got.status, test.del)
				}
			})
		})
	}
}

func TestSessionsOfUsersComeAndGo(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		c.must("PUT", "/messaging/subscriptions/session/sessions-users", `{"userIds":["cleo"]}`)
		loggedIn(t, s, "cleo").must("DELETE", "/connection", "")
		wantList(t, "messages", c.poll(), `"isDelta":false`, `"isDelta":true,"sessionsAdded":[{`, `"isDelta":true,"sessionsRemoved":[{`)
	})
}

func TestRefusedSubscriptions(t *testing.T) {
	s := &Server{Stations: []string{"WS-1"}}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		for _, test := range []struct{ path, body, names string }{
			{"/queues/q1", `{}`, "queueIds"},
			{"/queues/q1", `{"queueIds":"x"}`, "queueIds"},
			{"/queues/q1", `{"queueIds":[{}]}`, "queueIds"},
			{"/queues/q1", `{"queueIds":[{"queueType":9,"queueName":"x"}]}`, "queueIds"},
			{"/system/handler-sent-notifications", `{}`, "headers"},
			{"/system/handler-sent-notifications", `{"headers":[{"objectId":"1"}]}`, "headers"},
			{"/session/sessions-stations", `{}`, "stationIds"},
			{"/session/sessions-stations", `{"stationIds":"WS-1"}`, "stationIds"},
			{"/session/sessions-layouts", `{}`, "layoutIds"},
		} {
			got := c.do("PUT", "/messaging/subscriptions"+test.path, test.body)
			if got.status != 400 || !strings.Contains(got.body, `"propertyName":"`+test.names+`"`) {
				t.Errorf("%s %s = %d %s; want 400 for %s", test.path, test.body, got.status, got.body, test.names)
			}
		}
		got := c.do("PUT", "/messaging/subscriptions/session/sessions-stations", `{"stationIds":["WS-2"]}`)
		if got.status != 404 {
			t.Errorf("sessions of an unknown station = %d; want 404", got.status)
		}
		wantList(t, "messages", c.poll())
	})
}

// TestSessionsMoveFromStationToStation plays a supervisor's lists: what is removed from them was added before.
func TestSessionsMoveFromStationToStation(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		ofUser, ofStation, cleo := loggedIn(t, s, "anna"), loggedIn(t, s, "agent0001"), loggedIn(t, s, "cleo")
		ofUser.must("PUT", "/messaging/subscriptions/session/sessions-users", `{"userIds":["cleo"]}`)
		ofStation.must("PUT", "/messaging/subscriptions/session/sessions-stations", `{"stationIds":["ws-1"]}`)
		cleo.must("PUT", station, workstation)
		cleo.must("PUT", station, workstation)
		again := loggedIn(t, s, "agent0002")
		again.must("PUT", "/messaging/subscriptions/session/sessions-stations", `{"stationIds":["WS-1"]}`)
		wantList(t, "who comes later", again.poll(), `"isDelta":false,"sessionsAdded":[{"applicationName":"test","machineName":"ic1.example","stationId":{"id":"WS-1"},"userId":"cleo"`)
		cleo.must("DELETE", station, "")
		cleo.must("PUT", station, workstation)
		cleo.must("DELETE", "/connection", "")
		const at, away = `"stationId":{"id":"WS-1"}`, `"stationId":{"id":"STATIONLESS"}`
		const added, removed = `"isDelta":true,"sessionsAdded":[{"applicationName":"test","machineName":"ic1.example",`, `"isDelta":true,"sessionsRemoved":[{"applicationName":"test","machineName":"ic1.example",`
		wantList(t, "who watches the user", ofUser.poll(), `"isDelta":false,"sessionsAdded":[{"applicationName":"test","machineName":"ic1.example",`+away,
			removed+away, added+at, removed+at, added+away, removed+away, added+at, removed+at)
		wantList(t, "who watches the station", ofStation.poll(), `"isDelta":false`, added+at, removed+at, added+at, removed+at)
		again.must("DELETE", "/messaging/subscriptions/session/sessions-stations", "")
	})
}
