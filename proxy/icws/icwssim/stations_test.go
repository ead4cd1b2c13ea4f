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
		for _, bad := range []string{`{"__type":"x"}`, `{}`, `{"__type":"urn:inin.com:connection:workstationSettings"}`,
			`{"__type":"urn:inin.com:connection:stationlessSettings","supportedMediaTypes":[1,77]}`, `{"__type":"urn:inin.com:connection:stationlessSettings","stationConnectionMode":9}`} {
			if got := c.do("PUT", path, bad); got.status != 400 {
				t.Errorf("PUT %s = %d; want 400", bad, got.status)
			}
		}
		want(t, "no number", c.do("PUT", path, `{"__type":"urn:inin.com:connection:remoteNumberSettings","persistentConnection":true}`).body, `"propertyName":"remoteNumber"`)
	})
}

const (
	station     = "/connection/station"
	workstation = `{"__type":"urn:inin.com:connection:workstationSettings","workstation":"WS-1"}`
)

// seated returns a client whose session asked for its user's station, and the answer to its log-in.
func seated(t *testing.T, s *Server) (*client, string) {
	c := stranger(t, s)
	const body = `{"__type":"urn:inin.com:connection:icAuthConnectionRequestSettings","applicationName":"x","userID":"anna","password":"anna"}`
	got := c.do("POST", "/icws/connection?include=effective-station", body, "Accept-Language", "en")
	c.adopt(got)
	return c, got.body
}

func TestStationsAreThoseOfAllSessions(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		watcher := loggedIn(t, s, "cleo")
		watcher.must("PUT", "/messaging/subscriptions/status/user-statuses", `{"userIds":["anna"],"userStatusProperties":["stations"]}`)
		first, _ := seated(t, s)
		second, _ := seated(t, s)
		first.must("PUT", station, workstation)
		second.must("PUT", station, workstation)
		want(t, "two sessions at one", first.must("GET", "/status/user-statuses/anna", "").body, `"stations":["WS-1"]`)
		first.must("DELETE", "/connection", "")
		want(t, "one session left", second.must("GET", "/status/user-statuses/anna", "").body, `"stations":["WS-1"]`)
		third, answer := seated(t, s)
		want(t, "a new log-in", answer, `"effectiveStation":{"stationId":{"id":"WS-1"`)
		second.must("DELETE", station, "")
		wantList(t, "to the watcher", watcher.poll(), `"isDelta":false`, `"stations":["WS-1"]`, `"stations":[]`)
		wantList(t, "to the third session", third.poll(), `"effectiveStation":null`)
	})
}

func TestStationsInUse(t *testing.T) {
	for _, test := range []struct{ name, user, body, want string }{
		{"another user may not take it", "cleo", `{"__type":"urn:inin.com:connection:workstationSettings","workstation":"ws-1"}`, "The station is in use by another user."},
		{"its user may not take another", "anna", `{"__type":"urn:inin.com:connection:workstationSettings","workstation":"WS-2"}`, "The user is logged on to another station."},
		{"nor a telephone", "anna", `{"__type":"urn:inin.com:connection:remoteNumberSettings","remoteNumber":"4711"}`, "The user is logged on to another station."},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &Server{}
			inBubble(t, s, func(t *testing.T) {
				c, _ := seated(t, s)
				c.must("PUT", station, workstation)
				got := loggedIn(t, s, test.user).do("PUT", station, test.body)
				if got.status != 403 {
					t.Errorf("PUT = %d; want 403", got.status)
				}
				want(t, "body", got.body, test.want)
			})
		})
	}
}

func TestInteractionsNeedAStation(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		const call = `{"__type":"urn:inin.com:interactions:createCallParameters","target":"4711"}`
		got := c.do("POST", "/interactions", call)
		wantStatus(t, got, 400)
		want(t, "without", got.body, `"errorId":"error.request.noStation"`)
		c.must("PUT", station, workstation)
		got = c.do("POST", "/interactions", call)
		wantStatus(t, got, 400)
		want(t, "with one", got.body, `"errorId":"error.request.unsupported"`)
	})
}

func TestStationsAsAnAdministratorSetsThem(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c, _ := seated(t, s)
		c.must("PUT", station, workstation)
		setState(t, s, StateChange{User: "anna", Stations: &[]string{"7000", "WS-1"}})
		c.must("DELETE", station, "")
		want(t, "the other client's", c.must("GET", "/status/user-statuses/anna", "").body, `"stations":["7000"]`)
		setState(t, s, StateChange{User: "anna", Stations: &[]string{}})
		c.must("PUT", station, workstation)
		setState(t, s, StateChange{User: "anna", Stations: &[]string{}})
		if got := c.do("GET", station, ""); got.status != 404 {
			t.Errorf("station of a session that was taken off it = %d; want 404", got.status)
		}
	})
}
