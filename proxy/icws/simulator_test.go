package icws

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"portico/proxy/fault"
	"portico/proxy/icws/icwssim"
	"portico/proxy/upstream/memhttp"
	"portico/translate/icwsapi"
)

// One session from log-in to log-out, every call in it answered by the simulator; and as many
// calls counted there as here.
func TestAgainstTheSimulator(t *testing.T) {
	sim := &icwssim.Server{AsyncDelay: -1}
	defer sim.Close()
	client, reg := newClient(t, at(sim), nil)
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	must(client.Probe(ctx))
	info, err := client.ServerInfo(ctx)
	must(err)
	if len(info.Languages) < 2 {
		t.Errorf("ServerInfo = %+v; want at least two languages", info)
	}
	conn, err := client.Login(ctx, Credentials{UserID: "ANNA", Password: "anna", Language: "de"})
	must(err)
	if conn.UserID != "anna" || conn.DisplayName == "" || conn.Feature("status") == 0 || conn.Version == nil {
		t.Errorf("Login = %+v of %q, with version %v; want what was included", conn, conn.DisplayName, conn.Version)
	}
	catalogue, err := client.StatusMessages(ctx, conn)
	must(err)
	access, err := client.UserAccess(ctx, conn, conn.UserID)
	must(err)
	if len(catalogue) == 0 || len(access) == 0 {
		t.Errorf("catalogue of %d and access to %d statuses; want some", len(catalogue), len(access))
	}
	id, err := client.SetUserStatus(ctx, conn, conn.UserID, icwsapi.UserStatusUpdate{StatusID: "At Lunch", Notes: "back soon"})
	must(err)
	status, err := client.UserStatus(ctx, conn, conn.UserID)
	must(err)
	if id == "" || status.StatusID != "At Lunch" || status.Notes == nil || *status.Notes != "back soon" {
		t.Errorf("status after request %q = %+v; want At Lunch", id, status)
	}
	must(client.SetActivations(ctx, conn, conn.UserID, map[string]bool{"Sales": false}))
	activations, err := client.Activations(ctx, conn, conn.UserID)
	must(err)
	if activations["Sales"] || !activations["Support"] {
		t.Errorf("activations = %v; want Support, not Sales", activations)
	}
	must(client.SubscribeUserStatuses(ctx, conn, []string{"anna", "cleo"}))
	must(client.SubscribeStatusMessages(ctx, conn))
	must(client.SubscribeUserAccess(ctx, conn, []string{"anna"}))
	must(client.SubscribeActivations(ctx, conn, "mine", "anna"))
	must(client.Heartbeat(ctx, conn))
	state, err := client.ConnectionState(ctx, conn)
	must(err)
	if state.ConnectionState != icwsapi.ConnectionUp {
		t.Errorf("ConnectionState = %+v; want up", state)
	}
	must(client.Logout(ctx, conn))
	_, err = client.UserStatus(ctx, conn, conn.UserID)
	if !errors.Is(err, ErrSessionGone) {
		t.Errorf("UserStatus after log-out = %v; want %v", err, ErrSessionGone)
	}
	there := 0
	for _, n := range sim.Calls() {
		there += n
	}
	if here := value(t, reg, "portico_upstream_requests_total", nil); here != float64(there) {
		t.Errorf("%v calls counted here, %d at the simulator", here, there)
	}
}

func TestTheSimulatorRefuses(t *testing.T) {
	sim := &icwssim.Server{}
	defer sim.Close()
	client, _ := newClient(t, at(sim), nil)
	_, err := client.Login(t.Context(), Credentials{UserID: "anna", Password: "wrong"})
	if !errors.Is(err, fault.Unauthenticated) || errors.Is(err, ErrSessionGone) {
		t.Errorf("Login with a wrong password = %v; want %v", err, fault.Unauthenticated)
	}
	_, err = client.Login(t.Context(), Credentials{UserID: "anna"})
	if !errors.Is(err, fault.BadUpstream) && !errors.Is(err, fault.Unauthenticated) {
		t.Errorf("Login without a password = %v; want a refusal", err)
	}
	conn, err := client.Login(t.Context(), Credentials{UserID: "anna", Password: "anna"})
	if err != nil {
		t.Fatal(err)
	}
	for statusID, want := range map[string]error{
		"":                     fault.Invalid,
		"No Such Status":       fault.Invalid,
		"AcdAgentNotAnswering": fault.Forbidden,
	} {
		_, err := client.SetUserStatus(t.Context(), conn, "anna", icwsapi.UserStatusUpdate{StatusID: statusID})
		if fault.KindOf(err) != want {
			t.Errorf("SetUserStatus(%q) = %v; want %v", statusID, err, want)
		}
	}
	_, err = client.SetUserStatus(t.Context(), conn, "cleo", icwsapi.UserStatusUpdate{StatusID: "Available"})
	if fault.KindOf(err) != fault.Forbidden {
		t.Errorf("SetUserStatus of another user = %v; want %v", err, fault.Forbidden)
	}
	_, err = client.UserStatus(t.Context(), conn, "nobody")
	if fault.KindOf(err) != fault.NotFound {
		t.Errorf("UserStatus of nobody = %v; want %v", err, fault.NotFound)
	}
}

func TestASwitchover(t *testing.T) {
	sims := []*icwssim.Server{{}, {Backup: true}, {}} // the last is what the second becomes
	for _, sim := range sims {
		sim.AlternateHosts = []string{"ic1.example", "ic2.example"}
		defer sim.Close()
	}
	network := memhttp.Network{"ic1.example:8018": sims[0], "ic2.example:8018": sims[1]}
	client, _ := newClient(t, network, func(s *Settings) { s.Bases = []string{base2, base1} })
	login := func(want string) {
		t.Helper()
		conn, err := client.Login(t.Context(), Credentials{UserID: "anna", Password: "anna"})
		if err != nil || conn.Base != want {
			t.Errorf("Login = %v, %v; want one at %s", conn, err, want)
		}
	}
	login(base1)
	network["ic2.example:8018"] = sims[2]
	err := sims[0].Fault(icwssim.Fault{Scenario: "switchover"})
	if err != nil {
		t.Fatal(err)
	}
	login(base2)
}

func TestBehindAProxyWithHostsInItsPath(t *testing.T) {
	sim := &icwssim.Server{BasePath: "/apps/api/{host}"}
	defer sim.Close()
	server := httptest.NewServer(sim)
	defer server.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client, _ := newClient(t, transport, func(s *Settings) {
		s.Bases = []string{server.URL + "/apps/api/ic1.example"}
		s.Template = server.URL + "/apps/api/{host}"
	})
	conn, err := client.Login(t.Context(), Credentials{UserID: "anna", Password: "anna"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.StatusMessages(t.Context(), conn)
	if err != nil {
		t.Error(err)
	}
}
