package icwssim

import "testing"

func TestActivations(t *testing.T) {
	for _, test := range []struct {
		name, as, method, path, body string
		status                       int
		want                         string
	}{
		{"one user's", "anna", "GET", "/activations/users/ANNA", "", 200, `{"userId":"anna","activations":{"Mail":false,"Sales":true,"Support":true}}`},
		{"one user's, some", "anna", "GET", "/activations/users/anna?filter=mail,Nothing", "", 200, `{"userId":"anna","activations":{"Mail":false}}`},
		{"nobody's", "anna", "GET", "/activations/users/nobody", "", 404, `"message"`},
		{"several users'", "anna", "GET", "/activations/users?select=cleo,nobody,anna&filter=Mail", "", 200,
			`{"userActivationSetList":[{"userId":"cleo","activations":{}},{"userId":"anna","activations":{"Mail":false}}]}`},
		{"select is required", "anna", "GET", "/activations/users", "", 400, `select`},
		{"only those listed change", "anna", "PUT", "/activations/users/anna", `{"activations":{"sales":false}}`, 200, `{"userId":"anna","activations":{"Mail":false,"Sales":false,"Support":true}}`},
		{"a workgroup of others", "cleo", "PUT", "/activations/users/cleo", `{"activations":{"Mail":true,"Sales":false}}`, 400, `"propertyName":"activations"`},
		{"another user's", "anna", "PUT", "/activations/users/cleo", `{"activations":{"Sales":false}}`, 403, `"message"`},
		{"another user's by a supervisor", "portico", "PUT", "/activations/users/cleo", `{"activations":{"Sales":false}}`, 200, `"Sales":false`},
		{"nobody's to change", "anna", "PUT", "/activations/users/nobody", `{"activations":{}}`, 403, ``},
		{"nobody's to change by a supervisor", "portico", "PUT", "/activations/users/nobody", `{"activations":{}}`, 400, ``},
		{"neither on nor off", "anna", "PUT", "/activations/users/anna", `{"activations":{"Sales":null}}`, 400, `"propertyName":"activations"`},
		{"no activations", "anna", "PUT", "/activations/users/anna", `{}`, 400, `"propertyName":"activations"`},
		{"not a bool", "anna", "PUT", "/activations/users/anna", `{"activations":{"Sales":"yes"}}`, 400, `"propertyName":"activations"`},
		{"a workgroup's", "anna", "GET", "/activations/workgroups/sales", "", 200, `{"workgroupId":"Sales","activations":{"anna":true,"cleo":true}}`},
		{"several workgroups'", "anna", "GET", "/activations/workgroups?select=Mail,Nothing", "", 200, `{"workgroupActivationSetList":[{"workgroupId":"Mail","activations":{"anna":false}}]}`},
		{"workgroups need select", "anna", "GET", "/activations/workgroups", "", 400, `select`},
		{"no workgroup's", "anna", "GET", "/activations/workgroups/Nothing", "", 404, ``},
		{"through the workgroup", "anna", "PUT", "/activations/workgroups/Mail", `{"activations":{"ANNA":true}}`, 200, `{"workgroupId":"Mail","activations":{"anna":true}}`},
		{"others through the workgroup", "anna", "PUT", "/activations/workgroups/Sales", `{"activations":{"cleo":false}}`, 403, ``},
		{"a stranger through the workgroup", "anna", "PUT", "/activations/workgroups/Mail", `{"activations":{"cleo":true}}`, 400, ``},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &Server{}
			inBubble(t, s, func(t *testing.T) {
				got := loggedIn(t, s, test.as).do(test.method, test.path, test.body)
				if got.status != test.status {
					t.Errorf("status = %d %s; want %d", got.status, got.body, test.status)
				}
				want(t, "body", got.body, test.want)
			})
		})
	}
}

func TestFixedActivations(t *testing.T) {
	s := &Server{Users: []User{{ID: "anna", Password: "anna", FixedActivations: true, Activations: map[string]bool{"Sales": true}}}}
	inBubble(t, s, func(t *testing.T) {
		got := loggedIn(t, s, "anna").do("PUT", "/activations/users/anna", `{"activations":{"Sales":false}}`)
		if got.status != 403 {
			t.Errorf("PUT = %d; want 403", got.status)
		}
	})
}

func TestActivationMessages(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		const users, groups = "/messaging/subscriptions/activations/users/", "/messaging/subscriptions/activations/workgroups/"
		c.must("PUT", users+"all", `{"userId":"ANNA","workgroupIds":["*"]}`)
		c.must("PUT", users+"mail", `{"userId":"anna","workgroupIds":["Mail"]}`)
		c.must("PUT", groups+"g", `{"workgroupId":"sales","userIds":["*"]}`)
		wantList(t, "snapshots", c.poll(),
			`{"__type":"urn:inin.com:activations:userActivationMessage","isDelta":false,"subscriptionId":"all","userId":"anna","activationsChanged":{"Mail":false,"Sales":true,"Support":true}}`,
			`"subscriptionId":"mail","userId":"anna","activationsChanged":{"Mail":false}`,
			`{"__type":"urn:inin.com:activations:workgroupActivationMessage","isDelta":false,"subscriptionId":"g","workgroupId":"Sales","activationsChanged":{"anna":true,"cleo":true}}`)

		c.must("PUT", "/activations/users/anna", `{"activations":{"Sales":false,"Support":true}}`)
		messages := c.poll()
		wantList(t, "deltas", messages, `"isDelta":true,"subscriptionId":"all","userId":"anna","activationsChanged":{"Sales":false}`, `"subscriptionId":"g","workgroupId":"Sales","activationsChanged":{"anna":false}`)

		c.must("PUT", "/activations/users/anna", `{"activations":{"Sales":false}}`)
		wantList(t, "nothing changed", c.poll())

		c.must("DELETE", users+"all", "")
		c.must("DELETE", groups+"g", "")
		c.must("PUT", "/activations/users/anna", `{"activations":{"Sales":true,"Mail":true}}`)
		wantList(t, "after DELETE", c.poll(), `"subscriptionId":"mail"`)
		for _, bad := range []string{`{"userId":"nobody","workgroupIds":["*"]}`, `{"userId":"anna"}`} {
			if got := c.do("PUT", users+"x", bad); got.status < 400 {
				t.Errorf("subscribe %s = %d; want a refusal", bad, got.status)
			}
		}
		if got := c.do("PUT", groups+"x", `{"workgroupId":"Nothing","userIds":["*"]}`); got.status != 404 {
			t.Errorf("subscribe to an unknown workgroup = %d; want 404", got.status)
		}
	})
}
