package icwssim

import "testing"

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
		wantList(t, "a change", c.poll(), `"isDelta":true,"licenseAssignedStatusList":[{"name":"I3_ACCESS_CLIENT","isAssigned":false}]`)
		c.must("DELETE", "/licenses", body)
		c.must("POST", "/licenses", `{"licenseList":["I3_ACCESS_ACD"]}`)
		wantList(t, "no change", c.poll())
		c.must("POST", "/licenses", body)
		wantList(t, "another change", c.poll(), `"isDelta":true,"licenseAssignedStatusList":[{"name":"I3_ACCESS_CLIENT","isAssigned":true}]`)
		c.must("DELETE", "/messaging/subscriptions/licenses", "")
		c.must("DELETE", "/licenses", body)
		wantList(t, "without subscription", c.poll())
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
			`"isDelta":true,"licenseAssignedStatusList":[{"name":"B","isAssigned":false}]`,
			`[{"name":"A","isAssigned":false},{"name":"B","isAssigned":false}]`)
	})
}

func TestLicenceStatuses(t *testing.T) {
	s := &Server{LicenceStatuses: map[string]int{"I3_ACCESS_ACD": 5}}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		got := c.must("POST", "/licenses", `{"licenseList":["I3_ACCESS_ACD","I3_ACCESS_CLIENT"]}`).body
		want(t, "acquire", got, `"isAvailable":false,"errorDetails":"The license is not available.","licenseStatus":5`, `"isAvailable":true,"errorDetails":"","licenseStatus":2`)
		c.must("PUT", "/messaging/subscriptions/licenses", `{"licenseList":["I3_ACCESS_ACD"]}`)
		wantList(t, "messages", c.poll(), `"isAssigned":false`)
	})
}
