package icwssim

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"portico/translate/icwsapi"
)

func TestControlCalls(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		c.must("GET", "/status/status-messages", "")
		c.must("GET", "/status/user-statuses/anna", "")
		c.must("GET", "/status/user-statuses/cleo", "")
		c.do("GET", "/icws/connection/telepathy", "")
		got := c.must("GET", "/_sim/calls", "")
		const want = `{"GET (unknown path)":1,"GET /icws/{sessionId}/status/status-messages":1,"GET /icws/{sessionId}/status/user-statuses/{userId}":2,"POST /icws/connection":1}`
		if strings.TrimSpace(got.body) != want || got.header.Get("Content-Type") != "application/json" {
			t.Errorf("calls = %s %s; want %s", got.header.Get("Content-Type"), got.body, want)
		}
		c.must("POST", "/_sim/reset", "")
		if got := strings.TrimSpace(c.must("GET", "/_sim/calls", "").body); got != "{}" {
			t.Errorf("after reset = %s; want {}", got)
		}
		if got := strings.TrimSpace(c.must("GET", "/_sim/log", "").body); got != "[]" {
			t.Errorf("log after reset = %s; want []", got)
		}
		c.must("GET", "/connection", "") // reset ends no session
	})
}

func TestControlLog(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := stranger(t, s)
		c.tryLogIn("anna", "wrong secret")
		c.adopt(c.tryLogIn("ANNA", "anna"))
		fail(t, s, Fault{Route: putStatus, Status: 500, Times: 1})
		c.do("PUT", "/status/user-statuses/anna", `{"statusId":"Available"}`)
		c.must("PUT", "/status/user-statuses/anna", `{"statusId":"available","notes":"x"}`)
		time.Sleep(settle)
		c.must("PUT", "/activations/users/anna", `{"activations":{"mail":true}}`)
		c.must("GET", "/connection", "")
		c.do("GET", "/connection", "", "Cookie", "")

		raw := c.must("GET", "/_sim/log", "").body
		for _, secret := range []string{"wrong secret", c.header.Get("ININ-ICWS-CSRF-Token"), strings.TrimPrefix(c.prefix, "/icws/")} {
			if strings.Contains(raw, secret) {
				t.Errorf("the log has %q in it", secret)
			}
		}
		var entries []map[string]any
		err := json.Unmarshal([]byte(raw), &entries)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, entry := range entries {
			line, err := json.Marshal(entry)
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, string(line))
		}
		wantList(t, "log", lines,
			`"outcome":"error.request.connection.authenticationFailure","path":"/icws/connection","route":"POST /icws/connection","status":400`,
			`"written":{"applicationName":"test","language":"en-us","password":"***","userID":"ANNA"}`,
			`"outcome":"fault"`,
			`"target":"anna","time":"2000-01-01T00:00:00Z","user":"anna","was":{"activations":{"Mail":false,"Sales":true,"Support":true},"isAcd":false,"statusId":"Available, No ACD"},"written":{"notes":"x","statusId":"Available"}`,
			`"was":{"activations":{"Mail":false,"Sales":true,"Support":true},"isAcd":true,"statusId":"Available"},"written":{"activations":{"Mail":true}}`,
			`"outcome":"ok"`,
			`"outcome":"error","path":"/icws/{sessionId}/connection"`)
	})
}

func TestControlState(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		got := c.must("GET", "/_sim/state?user=ANNA", "").body
		want(t, "state", got, `{"userId":"anna","statusId":"Available, No ACD","notes":"","forwardNumber":"","until":null,"activations":{"Mail":false,"Sales":true,"Support":true},"loggedIn":true,"sessions":1,"access":["Available",`, `"onPhone":false,"stations":[]}`)
		got = c.must("POST", "/_sim/state", `{"user":"anna","statusId":"at lunch","notes":"x","access":["gone home"],"activations":{"sales":false},"onPhone":true,"stations":["WS-1"],"loggedIn":false}`).body
		want(t, "changed state", got, `"statusId":"At Lunch","notes":"x"`, `"activations":{"Mail":false,"Sales":false,"Support":true},"loggedIn":false,"sessions":1,"access":["Gone Home"],"onPhone":true,"stations":["WS-1"]`)
		got = c.must("POST", "/_sim/state", `{"user":"anna","until":{"untilDateTime":"20260105T114500Z","hasDate":false,"hasTime":true}}`).body
		want(t, "until alone", got, `"statusId":"At Lunch","notes":"x"`, `"until":{"untilDateTime":"20260105T114500Z"`)
		want(t, "a workgroup more", c.must("POST", "/_sim/state", `{"user":"cleo","activations":{"Mail":true}}`).body, `"Mail":true`)
		want(t, "an agent", c.must("GET", "/_sim/state?user=agent9999", "").body, `"userId":"agent9999"`)
	})
}

func TestControlRefusals(t *testing.T) {
	for _, test := range []struct {
		name, method, path, body string
		status                   int
		want                     string
	}{
		{"no such control", "GET", "/_sim/stats", "", 404, "want one of GET /_sim/calls"},
		{"a wrong method", "GET", "/_sim/reset", "", 404, "POST /_sim/reset"},
		{"the state of nobody", "GET", "/_sim/state", "", 400, "want GET /_sim/state?user=ID"},
		{"the state of an unknown user", "GET", "/_sim/state?user=nobody", "", 404, "want one of anna, cleo, portico, agent0001 to agent9999"},
		{"to change an unknown user", "POST", "/_sim/state", `{"user":"nobody"}`, 400, "want one of anna"},
		{"to set an unknown status", "POST", "/_sim/state", `{"user":"anna","statusId":"At Sea"}`, 400, "want one of Available; Available, No ACD"},
		{"to allow an unknown status", "POST", "/_sim/state", `{"user":"anna","access":["At Sea"]}`, 400, `unknown status "At Sea"`},
		{"to activate an unknown workgroup", "POST", "/_sim/state", `{"user":"anna","activations":{"Sea":true}}`, 400, "want one of Mail, Sales, Support"},
		{"an unknown member", "POST", "/_sim/state", `{"user":"anna","mood":"x"}`, 400, `unknown field "mood"`},
		{"no JSON", "POST", "/_sim/state", `anna`, 400, "the controls are"},
		{"to add a status that exists", "POST", "/_sim/catalogue", `{"add":[{"statusId":"at lunch"}]}`, 400, "want change"},
		{"to add a status twice", "POST", "/_sim/catalogue", `{"add":[{"statusId":"Tea"},{"statusId":"TEA"}]}`, 400, `"TEA" is to be added twice`},
		{"to add a status without id", "POST", "/_sim/catalogue", `{"add":[{}]}`, 400, "has no statusId"},
		{"to change a status that does not exist", "POST", "/_sim/catalogue", `{"change":[{"statusId":"At Sea"}]}`, 400, "want one of Available"},
		{"to remove a status that does not exist", "POST", "/_sim/catalogue", `{"remove":["At Sea"]}`, 400, "want one of Available"},
		{"an unknown member of a status", "POST", "/_sim/catalogue", `{"add":[{"statusId":"x","mood":"y"}]}`, 400, `unknown field "mood"`},
		{"an unknown member of a change", "POST", "/_sim/catalogue", `{"delete":["x"]}`, 400, `unknown field "delete"`},
		{"a wrong type in a status", "POST", "/_sim/catalogue", `{"change":[{"statusId":"At Lunch","isAcdStatus":"x"}]}`, 400, "isAcdStatus"},
		{"a fault that does nothing", "POST", "/_sim/fault", `{}`, 400, "want status, delay, body or scenario"},
		{"a fault on an unknown route", "POST", "/_sim/fault", `{"route":"GET /icws/status","status":500}`, 400, "POST /icws/connection"},
		{"a fault on a method that is not there", "POST", "/_sim/fault", `{"route":"DELETE /icws/connection","status":500}`, 400, "POST /icws/connection"},
		{"a fault that is a list", "POST", "/_sim/fault", `[]`, 400, "faultRequest"},
		{"more than one object", "POST", "/_sim/fault", `{"status":500}{"status":404}`, 400, "something follows the JSON object"},
		{"a status that is none", "POST", "/_sim/fault", `{"status":42}`, 400, "want 200 to 599"},
		{"a delay that is none", "POST", "/_sim/fault", `{"delay":"long"}`, 400, "want a duration such as 500ms or 30s"},
		{"a negative delay", "POST", "/_sim/fault", `{"delay":"-1s"}`, 400, "want no negative numbers"},
		{"an unknown scenario", "POST", "/_sim/fault", `{"scenario":"earthquake"}`, 400, "want one of expire-session"},
		{"a fault for an unknown user", "POST", "/_sim/fault", `{"scenario":"hang","user":"nobody"}`, 400, "want one of anna"},
		{"a call for nobody", "POST", "/_sim/fault", `{"scenario":"call"}`, 400, "needs a user"},
		{"no fault", "POST", "/_sim/fault", ``, 400, "the controls are"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &Server{}
			inBubble(t, s, func(t *testing.T) {
				got := stranger(t, s).do(test.method, test.path, test.body)
				if got.status != test.status {
					t.Errorf("status = %d; want %d", got.status, test.status)
				}
				want(t, "text", got.body, test.want)
			})
		})
	}
}

func TestControlFault(t *testing.T) {
	s := &Server{}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna")
		c.must("POST", "/_sim/fault", `{"route":"GET /icws/{sessionId}/connection","status":500,"delay":"30s","times":1}`)
		begin := time.Now()
		if got := c.do("GET", "/connection", ""); got.status != 500 || time.Since(begin) != 30*time.Second {
			t.Errorf("GET = %d after %v; want 500 after 30 s", got.status, time.Since(begin))
		}
		c.must("GET", "/connection", "")
		c.must("POST", "/_sim/fault", `{"status":500}`) // hits no control path
		c.must("POST", "/_sim/fault", `{"scenario":"switchover","hosts":["ic9"],"keepSessions":true}`)
		c.must("POST", "/_sim/reset", "")
		c.must("GET", "/connection", "")
		c.must("POST", "/_sim/fault", `{"scenario":"force-logoff","user":"anna","reason":"Feierabend"}`)
		wantList(t, "messages", c.poll(), `"reason":"Feierabend"`)
	})
}

func TestGoErrorsNameWhatIsWrong(t *testing.T) {
	s := &Server{Users: []User{{ID: "anna"}}, StatusMessages: []icwsapi.StatusMessage{{StatusID: "Only"}}}
	defer s.Close()
	_, err := s.State("agent0001")
	if err == nil || err.Error() != `icwssim: unknown user "agent0001": want one of anna` {
		t.Errorf("State = %v", err)
	}
	err = s.Fault(Fault{Scenario: "no-answer", User: "anna"})
	if err == nil || !strings.Contains(err.Error(), "no status AcdAgentNotAnswering") {
		t.Errorf("Fault = %v", err)
	}
	state, err := s.State("anna")
	if err != nil || state.StatusID != "Only" {
		t.Errorf("State = %+v, %v; want the only status there is", state, err)
	}
}
