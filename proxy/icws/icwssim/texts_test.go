package icwssim

import (
	"strings"
	"testing"
	"time"
)

func TestTextsAreInTheSessionsLanguage(t *testing.T) {
	for _, test := range []struct{ name, method, path, body, want string }{
		{"what is not there", "GET", "/status/user-statuses/nobody", "", "Der Benutzer ist nicht vorhanden."},
		{"a property's name stays", "PUT", "/status/user-statuses/anna", `{}`, "Die erforderliche Eigenschaft statusId fehlt."},
		{"a right that lacks", "PUT", "/status/user-statuses/cleo", `{"statusId":"At Lunch"}`, "Der Benutzer darf den Status dieses Benutzers nicht ändern."},
		{"a method", "PATCH", "/connection", "", "Die HTTP-Methode ist für diese Ressource nicht zulässig."},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &Server{}
			inBubble(t, s, func(t *testing.T) {
				c := loggedIn(t, s, "anna", "Accept-Language", "de-AT")
				want(t, "body", c.do(test.method, test.path, test.body).body, `"message":"`+test.want+`"`)
			})
		})
	}
}

func TestTextsBeforeLogIn(t *testing.T) {
	s := &Server{Backup: true}
	inBubble(t, s, func(t *testing.T) {
		want(t, "503", stranger(t, s).tryLogIn("anna", "anna", "Accept-Language", "de").body,
			`"message":"Dieser Session Manager nimmt zurzeit keine Verbindungen an.","alternateHostList":[]`)
	})
}

func TestTextsOfFaultsAndReasons(t *testing.T) {
	s := &Server{RefuseAsync: true, Users: []User{{ID: "anna", Password: "anna", Access: []string{"At Lunch"}}}}
	inBubble(t, s, func(t *testing.T) {
		c := loggedIn(t, s, "anna", "Accept-Language", "de")
		fail(t, s, Fault{Status: 500, Times: 1})
		want(t, "500", c.do("GET", "/connection", "").body, "Bei der Verarbeitung der Anfrage")
		c.must("PUT", "/status/user-statuses/anna", `{"statusId":"Gone Home"}`)
		time.Sleep(settle)
		wantList(t, "completion", c.poll(), `"message":"Der Benutzer hat keinen Zugriff auf diesen Status."`)
		fail(t, s, Fault{Scenario: "no-licence", Times: 1})
		want(t, "licence", c.must("POST", "/licenses", `{"licenseList":["A"]}`).body, `"errorDetails":"Die Lizenz ist nicht verfügbar."`)
		fail(t, s, Fault{Scenario: "ic-down"})
		const lost = `"reason":"Die Verbindung zum IC-Server ist verloren gegangen.","shouldReconnect":true`
		want(t, "connection", c.must("GET", "/connection", "").body, `"connectionState":2,`+lost)
		fail(t, s, Fault{Scenario: "force-logoff"})
		wantList(t, "messages", c.poll(), lost, `"reason":"Die Sitzung wurde von einem Supervisor abgemeldet."`)
	})
}

// TestTextsMatch holds each translation to the names its English has.
func TestTextsMatch(t *testing.T) {
	for english, text := range stockTexts {
		if strings.Count(english, "%s") != strings.Count(text, "%s") || strings.Count(english, "%s") > 1 {
			t.Errorf("%q is %q: want the same name in both, at most one", english, text)
		}
	}
	german := StockLanguages()[1]
	if got := german.say("Feierabend"); got != "Feierabend" {
		t.Errorf("what nobody knows = %q; want it as it is", got)
	}
}
