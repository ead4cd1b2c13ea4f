package icwssim

import (
	"encoding/json"
	"strings"
	"testing"

	"portico/translate/icwsapi"
)

func TestCatalogue(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		english, german := loggedIn(t, s, "anna"), loggedIn(t, s, "anna", "Accept-Language", "de")
		// The header of later requests does not count.
		got := english.do("GET", "/status/status-messages", "", "Accept-Language", "de").json(t)["statusMessageList"].([]any)
		other := german.must("GET", "/status/status-messages", "").json(t)["statusMessageList"].([]any)
		if len(got) != 17 || len(other) != 17 {
			t.Fatalf("%d and %d statuses; want 17", len(got), len(other))
		}
		for i := range got {
			a, b := got[i].(map[string]any), other[i].(map[string]any)
			if len(a) != 14 {
				t.Errorf("%v has %d properties; want 14", a["statusId"], len(a))
			}
			if a["statusId"] != b["statusId"] || a["messageText"] == b["messageText"] || b["messageText"] == "" {
				t.Errorf("English %v, German %v; want one id and two texts", a, b)
			}
		}
		lunch, err := json.Marshal(got[6])
		if err != nil {
			t.Fatal(err)
		}
		want(t, "At Lunch", string(lunch), `"canHaveDate":false`, `"canHaveTime":true`, `"groupTag":"BREAK"`, `"isDoNotDisturbStatus":true`, `"systemId":"7"`, `"isAcdStatus":false`)
		want(t, "German", german.must("GET", "/status/status-messages", "").body, `"Bitte nicht stören"`, `"Außer Haus"`)
	})
}

func TestUserAccess(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		const path = "/status/status-messages-user-access/"
		body := c.must("GET", path+"CLEO", "").body
		want(t, "access", body, `{"userId":"cleo","statusMessages":["Available","Available, No ACD"`)
		if strings.Contains(body, "AcdAgentNotAnswering") {
			t.Error("the list names a status that nobody may select")
		}
		if got := c.do("GET", path+"nobody", ""); got.status != 404 {
			t.Errorf("unknown user = %d; want 404", got.status)
		}
		c.must("PUT", "/messaging/subscriptions/status/status-messages-user-access", `{"userIds":["anna","Cleo"]}`)
		wantList(t, "snapshot", c.poll(), `"isDelta":false,"statusMessagesUserAccessChanges":[{"userId":"anna","statusMessagesAdded":["Available",`)
		err := s.SetState(StateChange{User: "cleo", Access: &[]string{"available", "Gone Home"}})
		if err != nil {
			t.Fatal(err)
		}
		messages := c.poll()
		wantList(t, "delta", messages, `"isDelta":true,"statusMessagesUserAccessChanges":[{"userId":"cleo","statusMessagesRemoved":["Available, No ACD"`)
		c.must("DELETE", "/messaging/subscriptions/status/status-messages-user-access", "")
		err = s.SetState(StateChange{User: "cleo", Access: &[]string{}})
		if err != nil {
			t.Fatal(err)
		}
		wantList(t, "after DELETE", c.poll())
		for _, body := range []string{`{"userIds":[]}`, `{"userIds":["nobody"]}`, `{}`} {
			if got := c.do("PUT", "/messaging/subscriptions/status/status-messages-user-access", body); got.status != 400 {
				t.Errorf("subscribe %s = %d; want 400", body, got.status)
			}
		}
	})
}

func TestCatalogueChanges(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna", "Accept-Language", "de")
		c.must("PUT", "/messaging/subscriptions/status/status-messages", "")
		c.must("PUT", "/messaging/subscriptions/status/status-messages-user-access", `{"userIds":["anna"]}`)
		wantList(t, "snapshot", c.poll(), `"isDelta":false,"statusMessagesAdded":[{"statusId":"Available","messageText":"Verfügbar"`, `"isDelta":false`)

		c.must("POST", "/_sim/catalogue", `{"add":[{"statusId":"ACW","labels":{"de":"Nacharbeit"},"isAfterCallWorkStatus":true}],
			"change":[{"statusId":"at lunch","groupTag":"FOOD"}],"remove":["at play"]}`)
		messages := c.poll()
		wantList(t, "delta", messages, `"isDelta":true,"statusMessagesAdded":[{"statusId":"ACW","messageText":"Nacharbeit"`,
			`{"userId":"anna","statusMessagesAdded":["ACW"],"statusMessagesRemoved":["At Play"]}`)
		want(t, "delta", messages[0], `"systemId":"18"}]`, `"statusMessagesRemoved":["At Play"]`,
			`"statusMessagesChanged":[{"statusId":"At Lunch","messageText":"Mittagspause","iconUri":"/icws/resources/status/lunch.ico","groupTag":"FOOD","canHaveDate":false,"canHaveTime":true`)

		// Another client's log-in sees the same.
		body := loggedIn(t, s, "cleo").must("GET", "/status/status-messages", "").body
		want(t, "catalogue", body, `{"statusId":"ACW","messageText":"ACW"`, `"groupTag":"FOOD"`)
		if strings.Contains(body, "At Play") {
			t.Error("a removed status is still there")
		}
		c.must("DELETE", "/messaging/subscriptions/status/status-messages", "")
		c.must("DELETE", "/messaging/subscriptions/status/status-messages-user-access", "")
		c.must("POST", "/_sim/catalogue", `{"remove":["ACW"]}`)
		wantList(t, "after DELETE", c.poll())
	})
}

func TestRemovedStatusLeavesAccessLists(t *testing.T) {
	s := &Server{Users: []User{{ID: "anna", Password: "anna", StatusID: "At Play", Access: []string{"Available", "At Play"}}}}
	inBubble(t, s, func(t *testing.T) {
		err := s.ChangeCatalogue(CatalogueChange{Remove: []string{"At Play", "at play"}})
		if err != nil {
			t.Fatal(err)
		}
		state, err := s.State("anna")
		if err != nil || len(state.Access) != 1 || state.StatusID != "At Play" {
			t.Errorf("state = %+v, %v; want the status kept and the list shorter", state, err)
		}
	})
}

func TestLongSnapshotsAreSplit(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		var add []StatusEdit
		for i := range 500 {
			add = append(add, NewStatus("Status "+strings.Repeat("x", 100)+string(rune('a'+i%26))+strings.Repeat("y", i)))
		}
		c := loggedIn(t, s, "anna")
		c.must("PUT", "/messaging/subscriptions/status/status-messages", "")
		err := s.ChangeCatalogue(CatalogueChange{Add: add})
		if err != nil {
			t.Fatal(err)
		}
		c.must("PUT", "/messaging/subscriptions/status/status-messages", "")
		total := 0
		for i, raw := range c.poll() {
			var message icwsapi.StatusMessagesMessage
			err := json.Unmarshal([]byte(raw), &message)
			if err != nil || len(raw) > 65_000 {
				t.Errorf("message %d has %d bytes, %v", i, len(raw), err)
			}
			if !message.IsDelta {
				total = 0 // forget what came before
			}
			total += len(message.StatusMessagesAdded)
		}
		if total != 517 {
			t.Errorf("%d statuses after all parts; want 517", total)
		}
	})
}
