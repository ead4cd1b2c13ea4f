package proxy

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"portico/proxy/gateway"
	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/proxy/push"
	"portico/translate/htccapi"
)

// TestSecretsStayIn logs agents in at both sites, has all go wrong that can, panics included, and looks
// for what is secret in all that comes out: every answer, the log at its most talkative, and the metrics.
func TestSecretsStayIn(t *testing.T) {
	const password = "canary-password"
	log := &logged{}
	w := newDoor(t, openToNative, func(k *knobs) {
		k.sim = &icwssim.Server{Users: []icwssim.User{{ID: "anna", Password: password}, {ID: "cleo", Password: password}}}
		k.cloud = &htccsim.Server{Users: []htccsim.User{{UserName: "cleo", Password: password, Channels: []htccapi.MediaChannel{"chat", "email"}}}}
		k.door.CSRFToken, k.door.Origins, k.timeout = true, []string{crm}, 500*time.Millisecond
		k.door.Push = push.New(push.Options{})
		k.gateway.Push = k.door.Push
		k.door.Logger = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		k.gateway.Logger = k.door.Logger
		plain := k.gateway.Route
		k.gateway.Route = func(login string) (gateway.Route, bool) {
			if login == "zoe" {
				panic(errors.New("zoe:" + password)) // as a library's might
			}
			return plain(login)
		}
	})
	secrets := []string{password, "canary-wrong"}
	var out strings.Builder
	said := func(got answer) answer {
		shown := got.header.Clone()
		for _, name := range []string{"Set-Cookie", "X-Csrf-Token", "Inin-Icws-Csrf-Token", "Inin-Icws-Session-Id", "Location"} {
			shown.Del(name) // is where they belong
		}
		fmt.Fprintln(&out, got.status, shown, got.body)
		return got
	}
	for _, agent := range []string{"anna", "cleo"} {
		first := w.do("GET", "/api/v2/me", "", "Authorization", basicAuth(agent, password))
		if first.status != http.StatusOK {
			t.Fatalf("%s: %d %s", agent, first.status, first.body)
		}
		cookie, token := cookieOf(first), first.header.Get("X-CSRF-TOKEN")
		secrets = append(secrets, cookie, token, basicAuth(agent, password))
		session := []string{"Cookie", "JSESSIONID=" + cookie, "Origin", crm}
		both := append([]string{"X-CSRF-TOKEN", token}, session...)
		for _, fault := range []icwssim.Fault{{}, {Status: 500}, {Scenario: "garbage"}, {Scenario: "reset-connection"}, {Scenario: "hang"}} {
			w.sim.Reset()
			if fault.Status != 0 || fault.Scenario != "" { // else all is well
				err := w.sim.Fault(fault)
				if err != nil {
					t.Fatal(err)
				}
			}
			said(w.do("GET", "/api/v2/me?subresources=*", "", session...))
			said(w.do("POST", "/api/v2/me", `{"operationName":"Ready"}`, both...))
			said(w.do("POST", "/api/v2/me", `{"operationName":"Ready"}`, session...)) // without the token
			said(w.do("POST", "/api/v2/me", "{", both...))
			said(w.do("POST", "/api/v2/notifications", "[", both...))
			said(w.do("PATCH", "/api/v2/users/7", "", both...))
			said(w.do("GET", "/icws/29113001/status", "", session...))
			said(w.do("POST", "/icws/connection", `{"userID":"anna","password":"`+password+`"`))
		}
		w.sim.Reset()
		said(w.do("GET", "/me", "", "Authorization", basicAuth("zoe", password)))
		for range 6 {
			said(w.do("GET", "/me", "", "Authorization", basicAuth(agent, "canary-wrong"+fmt.Sprint(out.Len()))))
		}
	}
	if !strings.Contains(log.String(), "panic: a *errors.errorString") || !strings.Contains(out.String(), "too many failed log-ins") {
		t.Error("no panic was logged, or no log-in limited: the test shows nothing")
	}
	families, err := w.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		fmt.Fprintln(&out, family)
	}
	for line := range strings.Lines(log.String() + out.String()) {
		for _, secret := range secrets {
			if strings.Contains(line, secret) {
				t.Errorf("%.12s... is in: %s", secret, line)
			}
		}
	}
}
