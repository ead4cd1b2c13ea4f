package icwssim

import "testing"

func TestAcceptedSubscriptions(t *testing.T) {
	for _, test := range []struct {
		name, path, body string
		put, del         int
		message          []string
	}{
		{"a queue is empty", "/queues/q1", `{"queueIds":[{"queueType":"1","queueName":"anna"}],"attributeNames":["Eic_State"]}`, 200, 204,
			[]string{`"__type":"urn:inin.com:queues:queueContentsMessage","isDelta":false,"subscriptionId":"q1","interactionsAdded":[]`}},
		{"handlers are silent", "/system/handler-sent-notifications", `{"headers":[]}`, 204, 200, nil},
		{"licences are not held", "/licenses", `{"licenseList":["I3_ACCESS_CLIENT"]}`, 200, 200, []string{`[{"name":"I3_ACCESS_CLIENT","isAssigned":false}]`}},
		{"sessions of users", "/session/sessions-users", `{"userIds":["anna","cleo"]}`, 200, 200,
			[]string{`"isDelta":false,"sessionsAdded":[{"applicationName":"test","machineName":"ic1.example","stationId":{"id":"STATIONLESS"},"userId":"anna","reason":0}]`}},
		{"sessions of stations", "/session/sessions-stations", `{"stationIds":["x"]}`, 200, 200, []string{`sessionsMessage`}},
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
