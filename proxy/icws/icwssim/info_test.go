package icwssim

import (
	"testing"
)

func TestInfo(t *testing.T) {
	for _, test := range []struct {
		name, path string
		session    bool
		status     int
		parts      []string
	}{
		{"version", "/icws/connection/version", false, 200, []string{`"majorVersion":"19"`, `"productPatchDisplayString":"2019 R3 Patch4"`}},
		{"version in a session", "/connection/version", true, 200, []string{`"majorVersion":"19"`}},
		{"features are wrapped here", "/icws/connection/features", false, 200, []string{`{"featureInfoList":[`, `{"featureId":"messaging","version":2}`}},
		{"features in a session", "/connection/features", true, 200, []string{`{"featureId":"status","version":1}`}},
		{"one feature", "/icws/connection/features/messaging", false, 200, []string{`{"featureId":"messaging","version":2}`}},
		{"an unknown feature is a bad request", "/icws/connection/features/telepathy", false, 400, []string{`"message"`}},
		{"server info", "/icws/connection/server-info", false, 200,
			[]string{`{"languageID":"en-us","languageDisplayName":"English (United States)"},{"languageID":"de","languageDisplayName":"Deutsch"}`, `"acceptLanguage":"en-us"`, `"allowIcAuth":true`}},
		{"server time is compact", "/icws/connection/server-time", false, 200, []string{`{"serverUtcTime":"20000101T000000Z"}`}},
		{"switchover status", "/connection/switchover-status", true, 200, []string{`"isSwitchoverActive":true`, `"backupHost":"ic2.example"`}},
		{"a session is needed for it", "/icws/1/connection/switchover-status", false, 401, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &Server{AlternateHosts: []string{"ic1.example", "ic2.example"}}
			inBubble(t, s, func(t *testing.T) {
				c := stranger(t, s)
				if test.session {
					c = loggedIn(t, s, "anna")
				}
				got := c.do("GET", test.path, "", "Accept-Language", "en")
				if got.status != test.status {
					t.Errorf("status = %d; want %d", got.status, test.status)
				}
				want(t, "body", got.body, test.parts...)
			})
		})
	}
}

func TestServerInfoNeedsALanguage(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		got := stranger(t, s).do("GET", "/icws/connection/server-info", "")
		if got.status != 400 {
			t.Errorf("without Accept-Language = %d; want 400", got.status)
		}
		want(t, "body", got.body, `"errorId":"error.request.missingHeader"`)
		loggedIn(t, s, "anna").must("GET", "/connection/server-info", "") // the session has one
	})
}

func TestMessagingVersion1(t *testing.T) {
	s := &Server{MessagingVersion: 1}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		want(t, "features", c.do("GET", "/icws/connection/features/messaging", "").body, `"version":1`)
		got := c.do("GET", "/messaging/messages", "", "Accept", "text/event-stream")
		if got.body != "[]" {
			t.Errorf("asked for a stream = %q; want a poll's answer", got.body)
		}
	})
}

func TestConfiguredUsers(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna", "Accept-Language", "de")
		want(t, "users", c.must("GET", "/configuration/users", "").body, `{"items":[{"configurationId":{"id":"anna","displayName":"Anna Berg"`, `"id":"cleo"`)
		want(t, "user", c.must("GET", "/configuration/users/anna?select=statusText", "").body, `"statusText":"Verfügbar, kein ACD"`)
		if got := c.do("GET", "/configuration/users/nobody", ""); got.status != 404 {
			t.Errorf("unknown user = %d; want 404", got.status)
		}
	})
}

func TestConfiguredStatusMessages(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna", "Accept-Language", "de")
		want(t, "ids alone", c.must("GET", "/configuration/status-messages", "").body,
			`{"items":[{"configurationId":{"id":"Available","displayName":"Verfügbar","uri":"/configuration/status-messages/Available"}},`)
		const path = "/configuration/status-messages/at%20lunch"
		const id = `{"configurationId":{"id":"At Lunch","displayName":"Mittagspause","uri":"/configuration/status-messages/At%20Lunch"},`
		want(t, "some", c.must("GET", path+"?select=group,messageText", "").body,
			id+`"group":"BREAK","messageText":{"de":"Mittagspause","en-us":"At Lunch"}}`)
		want(t, "all", c.must("GET", path+"?select=*", "").body, id+`"allowAcdCalls":false,"allowFollowUp":false,"group":"BREAK","hasDate":false,"hasTime":true,"isAfterCallWork":false,"isDoNotDisturb":true,"isForward":false,"isPersistent":false,"isUserSelectable":true,"messageText"`)
		wantStatus(t, c.do("GET", "/configuration/status-messages/At%20Sea", ""), 404)
	})
}
