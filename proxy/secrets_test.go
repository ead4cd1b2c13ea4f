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

// TestWhoIsInTheLog has log-ins, operations and readers refused and failing at both sites. Unless the settings
// want it no agent is named in the log, at any level; else operators find whose log-in was refused.
func TestWhoIsInTheLog(t *testing.T) {
	for _, named := range []bool{false, true} {
		w := newDoor(t, func(k *knobs) {
			k.door.LogLogins, k.timeout = named, 100*time.Millisecond
			k.door.Push = push.New(push.Options{})
			k.gateway.Push = k.door.Push
		})
		agents := []string{"anna", "bjorn", "cleo"}
		faults := []string{"", "500", "expire-session"}
		if !named {
			faults = append(faults, "garbage", "hang", "reset-connection", "force-logoff")
		}
		for _, fault := range faults {
			for _, agent := range agents {
				w.as(agent).get("/me")
			}
			upset(t, w, fault)
			for _, agent := range agents {
				for _, path := range []string{"/me", "/me/channels/voice", "/me/channels/email", "/api/v2/me"} {
					w.as(agent).post(path, `{"operationName":"Ready"}`)
				}
				w.as(agent).get("/api/v2/me?subresources=*")
				w.as(agent).post("/api/v2/me", `{"operationName":"EndContactCenterSession"}`)
				w.do("GET", "/me", "", "Authorization", basicAuth(agent, "wrong"+fault))
			}
			w.as("agent0001").get("/me")
			w.as("gws1").get("/me")
			w.sim.Reset()
			w.cloud.Reset()
		}
		eventually(t, "readers broke", func() bool { return strings.Contains(w.log.String(), "the reader of an agent broke") })
		w.over(t)
		refused := 0
		for _, one := range linesOf(t, w.log.String()) {
			text := fmt.Sprint(one)
			for _, agent := range append(agents, "agent0001", "gws1") {
				if !named && strings.Contains(text, agent) {
					t.Errorf("%s is named in: %s", agent, text)
				}
				if one["msg"] == MessageRequest && one["error_class"] == "unauthenticated" && one["session"] == nil && one["login"] == agent {
					refused++
				}
			}
		}
		if (refused >= len(agents)) != named {
			t.Errorf("%d records tell whose log-in was refused; want them told: %v", refused, named)
		}
	}
}

// upset has all calls of both sites fail in a way.
func upset(t *testing.T, w *world, fault string) {
	t.Helper()
	var atICWS icwssim.Fault
	var atHTCC htccsim.Fault
	switch fault {
	case "":
		return
	case "500":
		atICWS.Status, atHTCC.Status = 500, 500
	default:
		atICWS.Scenario, atHTCC.Scenario = fault, fault
	}
	if err := errors.Join(w.sim.Fault(atICWS), w.cloud.Fault(atHTCC)); err != nil {
		t.Fatal(err)
	}
}
