package icwssim

import (
	"testing"
	"time"
)

func TestIDsThatPathsEscape(t *testing.T) {
	for _, test := range []struct{ id, path, other string }{
		{"Dora Lund", "Dora%20Lund", "dora%20%6cund"},
		{"emil.voss@example.com", "emil.voss%40example.com", "Emil.Voss@example.com"},
	} {
		t.Run(test.id, func(t *testing.T) {
			s := &Server{}
			inBubble(t, s, func(t *testing.T) {
				c := loggedIn(t, s, test.id)
				c.must("PUT", "/messaging/subscriptions/status/user-statuses", `{"userIds":["`+test.id+`"],"userStatusProperties":["statusId"]}`)
				c.must("PUT", "/status/user-statuses/"+test.path, `{"statusId":"At Lunch"}`)
				time.Sleep(settle)
				wantList(t, "messages", c.poll(), `"isDelta":false`, `{"userId":"`+test.id+`","statusId":"At Lunch"`, `"requestId":"1"`)
				want(t, "status", c.must("GET", "/status/user-statuses/"+test.other, "").body, `"userId":"`+test.id+`","statusId":"At Lunch"`)
				want(t, "access", c.must("GET", "/status/status-messages-user-access/"+test.path, "").body, `"userId":"`+test.id+`"`)
				want(t, "activations", c.must("GET", "/activations/users?select="+test.path, "").body, `"userId":"`+test.id+`"`)
				want(t, "configuration", c.must("GET", "/configuration/users/"+test.path, "").body, `"id":"`+test.id+`"`)
			})
		})
	}
}
