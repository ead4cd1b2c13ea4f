package proxy

import (
	"encoding/json"
	"fmt"
	"testing"

	"portico/proxy/icws/icwssim"
)

// clones logs in with a token that the session asks for, as a second program of the same user does. It sends no cookie.
func (a *application) clones() *application {
	a.t.Helper()
	const seed = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
	var given struct{ AuthToken string }
	got := a.ask("POST", "/connection/unique-auth-token", `{"authTokenSeed":"`+seed+`"}`)
	err := json.Unmarshal([]byte(got.body), &given)
	if err != nil {
		a.t.Fatalf("a token: %d %s", got.status, got.body)
	}
	clone := a.application()
	clone.first = clone.logInWithToken(a.session, given.AuthToken)
	var opened struct{ SessionID, CSRFToken string }
	_ = json.Unmarshal([]byte(clone.first.body), &opened)
	clone.session, clone.token = opened.SessionID, opened.CSRFToken
	return clone
}

func (a *application) logInWithToken(source, token string) answer {
	a.t.Helper()
	body := fmt.Sprintf(`{"__type":"urn:inin.com:connection:authTokenConnectionRequestSettings","applicationName":"Own",`+
		`"authTokenSeed":"3f2504e0-4f89-11d3-9a0c-0305e82c3301","authToken":%q,"authTokenSourceSession":%q}`, token, source)
	return a.call("POST", "/icws/connection", body, "Accept-Language", "en-us")
}

// TestATokenIsTakenToTheHostOfItsSession has log-ins go to the second host while a session lives at the first.
func TestATokenIsTakenToTheHostOfItsSession(t *testing.T) {
	first, second := &icwssim.Server{}, &icwssim.Server{}
	w, _ := twoHosts(t, first, second)
	anna := w.opens("anna")
	err := first.Fault(icwssim.Fault{Route: routeLogin, Status: 503, Times: 1, ContentType: "application/vnd.inin.icws+JSON",
		Body: `{"errorId":"error.server.notAcceptingConnections","alternateHostList":["ic2.example"],"message":"x"}`})
	if err != nil {
		t.Fatal(err)
	}
	w.opens("cleo") // so that the two hosts' sessions have different ids
	w.opens("cleo")
	const up = `{"connectionState":1}`
	for range 55 { // more than an address may get refused
		clone := anna.clones()
		if clone.first.status != 201 {
			t.Fatalf("a log-in with a token = %d %s; want 201", clone.first.status, clone.first.body)
		}
		clone.ask("GET", "/connection", "").is(t, "its session", 200, up)
		clone.ask("DELETE", "/connection", "")
	}
	if refused := counts(t, w.reg, "portico_logins_total")["refused "+site]; refused != 0 {
		t.Errorf("%v log-ins are counted as refused; want 0", refused)
	}
	before := second.Calls()[routeLogin]
	anna.ask("GET", "/connection", "").is(t, "the session of the tokens", 200, up)
	w.opens("agent0001").ask("GET", "/connection", "").is(t, "another session", 200, up)
	if n := second.Calls()[routeLogin]; n != before+1 {
		t.Errorf("%d log-ins with a password at the second host; want 1, as before the tokens", n-before)
	}
}

// A token that no host knows is refused, and counts as one wrong password.
func TestAWrongTokenCountsOnce(t *testing.T) {
	first, second := &icwssim.Server{AlternateHosts: []string{"ic2.example"}}, &icwssim.Server{}
	w, _ := twoHosts(t, first, second)
	anna := w.opens("anna") // whose answer names the second host
	want := anna.logIn("nobody", "x")
	for range 49 {
		got := anna.logInWithToken(anna.session, "wrong")
		if got.status != 400 || got.body != want.body {
			t.Fatalf("a wrong token = %d %s; want 400 %s", got.status, got.body, want.body)
		}
	}
	if a, b := first.Calls()[routeLogin], second.Calls()[routeLogin]; a != 51 || b != 49 {
		t.Errorf("%d and %d log-ins at the hosts; want 51, of which 2 had a password, and 49", a, b)
	}
	if got := anna.logInWithToken(anna.session, "wrong"); got.status != 429 {
		t.Errorf("one more than an address may get refused = %d %s; want 429", got.status, got.body)
	}
}

// TestABodyThatBreaksOffIsSaidToHave has a native application send chunks that are none, of a log-in and of something else.
func TestABodyThatBreaksOffIsSaidToHave(t *testing.T) {
	w := newDoor(t, openToNative)
	anna := w.opens("anna")
	const chunks = " HTTP/1.1\nHost: x\nAccept-Language: en-us\nTransfer-Encoding: chunked\n"
	for name, head := range map[string]string{
		"a log-in": "POST /icws/connection" + chunks,
		"a status": "PUT /icws/" + anna.session + "/status/user-statuses/anna" + chunks + "Cookie: " + anna.icwsCookie() + "\nININ-ICWS-CSRF-Token: " + anna.token + "\n",
	} {
		w.raw(head+"\n5\n{\"a\":\nzz\n").is(t, name, 400, `{"message":"the body ended too early"}`)
	}
}
