package icwssim

import "testing"

func TestStations(t *testing.T) {
	s := &Server{Stations: []string{"WS-17", "WS-18"}}
	inBubble(t, s, func(t *testing.T) {
		const path = "/connection/station"
		c := loggedIn(t, s, "anna")
		include := stranger(t, s)
		include.adopt(include.do("POST", "/icws/connection?include=effective-station",
			`{"__type":"urn:inin.com:connection:icAuthConnectionRequestSettings","applicationName":"x","userID":"anna","password":"anna"}`, "Accept-Language", "en"))
		for _, method := range []string{"GET", "DELETE"} {
			got := c.do(method, path, "")
			if got.status != 404 {
				t.Errorf("%s without station = %d; want 404", method, got.status)
			}
			want(t, "body", got.body, `"errorId":"-2147221496"`)
		}
		c.must("PUT", "/messaging/subscriptions/connection/station", "")
		if got := c.do("PUT", path, `{"__type":"urn:inin.com:connection:workstationSettings","workstation":"WS-99"}`); got.status != 404 {
			t.Errorf("unknown station = %d; want 404", got.status)
		}
		got := c.must("PUT", path, `{"__type":"urn:inin.com:connection:workstationSettings","workstation":"WS-17","supportedMediaTypes":[1,2],"readyForInteractions":true}`)
		if got.body != "" || got.header.Get("Location") != c.prefix+path {
			t.Errorf("PUT = %q, Location %q", got.body, got.header.Get("Location"))
		}
		want(t, "station", c.must("GET", path, "").body, `{"id":"WS-17","extension":"WS-17","stationSetting":1,"allowedMediaTypes":[1,2]}`)
		want(t, "status", c.must("GET", "/status/user-statuses/anna", "").body, `"stations":["WS-17"]`)
		c.must("PUT", path, `{"__type":"urn:inin.com:connection:remoteNumberSettings","remoteNumber":"4711"}`)
		c.must("DELETE", path, "")
		c.must("PUT", path, `{"__type":"urn:inin.com:connection:stationlessSettings"}`)
		want(t, "status", c.must("GET", "/status/user-statuses/anna", "").body, `"stations":[]`)
		wantList(t, "station messages", c.poll(), `"newStationInfo":{"id":""`, `"newStationInfo":{"id":"WS-17"`,
			`"previousStationInfo":{"id":"WS-17","extension":"WS-17","stationSetting":1,"allowedMediaTypes":[1,2]},"newStationInfo":{"id":"4711"`,
			`"newStationInfo":{"id":"","extension":"","stationSetting":0}`, `"newStationInfo":{"id":"STATIONLESS"`)
		wantList(t, "effective station messages", include.poll(), `"effectiveStation":{"stationId":{"id":"WS-17"`, `{"id":"4711"`, `"effectiveStation":null`)
		for _, bad := range []string{`{"__type":"x"}`, `{}`, `{"__type":"urn:inin.com:connection:workstationSettings"}`} {
			if got := c.do("PUT", path, bad); got.status != 400 {
				t.Errorf("PUT %s = %d; want 400", bad, got.status)
			}
		}
	})
}

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

func TestLicences(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		const body = `{"licenseList":["I3_ACCESS_CLIENT"]}`
		want(t, "acquire", c.must("POST", "/licenses", body).body,
			`{"licenseOperationResultList":[{"licenseName":"I3_ACCESS_CLIENT","isAvailable":true,"errorDetails":"","licenseStatus":2}]}`)
		c.must("PUT", "/messaging/subscriptions/licenses", body)
		wantList(t, "messages", c.poll(), `"isAssigned":true`)
		c.must("DELETE", "/licenses", body)
		c.must("PUT", "/messaging/subscriptions/licenses", body)
		wantList(t, "messages", c.poll(), `"isAssigned":false`)
	})
}

func TestLicencesAreReplacedAndReleasedAsAWhole(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		const both = `{"licenseList":["A","B"]}`
		c.must("POST", "/licenses", `{"licenseList":["A"]}`)
		c.must("PUT", "/licenses", `{"licenseList":["B"]}`)
		c.must("PUT", "/messaging/subscriptions/licenses", both)
		if got := c.must("DELETE", "/licenses", ""); got.body != "" {
			t.Errorf("DELETE without a body = %s; want nothing", got.body)
		}
		c.must("PUT", "/messaging/subscriptions/licenses", both)
		wantList(t, "messages", c.poll(), `[{"name":"A","isAssigned":false},{"name":"B","isAssigned":true}]`,
			`[{"name":"A","isAssigned":false},{"name":"B","isAssigned":false}]`)
	})
}
