package proxy

import (
	"fmt"
	"testing"
	"time"

	"portico/proxy/icws/icwssim"
)

// What callers read of the contact centre's failures.
const (
	badUpstream = "the contact centre answered with an error"
	unreachable = "the contact centre cannot be reached"
	tooLate     = "the contact centre did not answer in time"
)

// Failures of one call, by the fault that the site is given.
var (
	fails    = icwssim.Fault{Status: 500, Times: 1}
	garbage  = icwssim.Fault{Scenario: "garbage", Times: 1}
	hangs    = icwssim.Fault{Scenario: "hang", Times: 1}
	breaks   = icwssim.Fault{Scenario: "reset-connection", Times: 1}
	notThere = icwssim.Fault{Status: 503, Times: 1}
	expired  = icwssim.Fault{Status: 401, Times: 1}
)

// TestFailuresOfOperations lets each call that an operation makes fail in every way. What the
// caller reads is the kind of failure and nothing of the site's; the session is usable afterwards,
// and what /me says is what the site holds.
func TestFailuresOfOperations(t *testing.T) {
	type want struct {
		status, code int
		text         string
	}
	done := want{200, 0, ""}
	for name, fault := range map[string]struct {
		icwssim.Fault
		want want
	}{
		"an error":               {fails, want{500, 4, badUpstream}},
		"garbage":                {garbage, want{500, 4, badUpstream}},
		"no answer":              {hangs, want{504, 4, tooLate}},
		"a broken connection":    {breaks, want{503, 4, unreachable}},
		"a session that is gone": {expired, done}, // Portico logs in again
	} {
		for _, op := range []struct{ path, operation, route string }{
			{"/me", "NotReady", routeSetStatus},
			{"/me", "Ready", routeActivate},
			{"/me", "Ready", routeSetStatus},
			{"/me", "AtLunch", routeSetStatus},
			{"/me", "DoNotDisturbOn", routeSetStatus},
			{"/me/channels/email", "Ready", routeActivate},
			{"/me/channels/email", "Ready", routeSetStatus},
			{"/me/devices/ffa26a05-f9eb-59bd-ba56-b86c7970ca4f", "DoNotDisturbOn", routeSetStatus},
		} {
			t.Run(fmt.Sprintf("%s/%s on %s, %s", name, op.operation, op.path, op.route), func(t *testing.T) {
				t.Parallel()
				w := newDoor(t, func(k *knobs) { k.timeout = 500 * time.Millisecond })
				anna := w.as("anna")
				anna.operate("/me", "AtPlay")
				w.holds(t, "AtPlay", "At Play", "Sales Support")
				before := anna.state()
				fault.Route = op.route
				err := w.sim.Fault(fault.Fault)
				if err != nil {
					t.Fatal(err)
				}
				got := anna.post("/api/v2"+op.path, `{"operationName":"`+op.operation+`"}`)
				body := `{"statusCode":0}`
				if fault.want != done {
					body = fmt.Sprintf(`{"statusCode":%d,"statusMessage":%s}`, fault.want.code, quote(fault.want.text))
				}
				got.is(t, op.operation, fault.want.status, body)
				if got.header.Get("Set-Cookie") != "" && got.status != 200 {
					t.Error("an error sets a cookie")
				}
				if fault.want != done {
					eventually(t, "/me says "+before+" again", func() bool { return anna.state() == before })
				}
				anna.operate("/me", "DoNotDisturbOff")
				anna.operate("/me", "AtLunch")
				if got := anna.state(); got != "voice:NotReadyAt Lunch email:NotReadyAt Lunch dnd:Off" {
					t.Errorf("afterwards /me says %q", got)
				}
				eventually(t, "the site holds At Lunch", func() bool {
					state, err := w.sim.State("anna")
					return err == nil && state.StatusID == "At Lunch"
				})
			})
		}
	}
}
