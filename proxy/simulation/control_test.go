package simulation

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestControls(t *testing.T) {
	type change struct {
		User string `json:"user"`
	}
	controls := Controls{Simulator: "lab", Paths: []Control{
		Get("calls", func() []string { return []string{"<b>"} }),
		Do("reset", func() {}),
		GetOf("state", "NAME", func(user string) (string, error) {
			if user != "anna" {
				return "", errors.New("lab: nobody")
			}
			return "Ready", nil
		}),
		Post("state", func(asked change) (string, error) {
			if asked.User == "" {
				return "", errors.New("lab: whose?")
			}
			return asked.User, nil
		}),
	}}
	const list = "GET /_sim/calls, POST /_sim/reset, GET /_sim/state?user=NAME, POST /_sim/state\n"
	const misread = "lab: read the control request: "
	for _, test := range []struct {
		name, method, target, body string
		status                     int
		want                       string
	}{
		{"a list", "GET", "/calls", "", 200, "[\"<b>\"]\n"},
		{"an order, whatever it says", "POST", "/reset", "now!", 200, "{}\n"},
		{"the state of somebody", "GET", "/state?user=anna", "", 200, "\"Ready\"\n"},
		{"the state of somebody unknown", "GET", "/state?user=cleo", "", 404, "lab: nobody\n"},
		{"the state of no one", "GET", "/state", "", 400, "want GET /_sim/state?user=NAME\n"},
		{"a change", "POST", "/state", `{"user":"anna"}`, 200, "\"anna\"\n"},
		{"a change that is refused", "POST", "/state", `{}`, 400, "lab: whose?\n"},
		{"an unknown member", "POST", "/state", `{"mood":1}`, 400, misread + "json: unknown field \"mood\"; the controls are " + list},
		{"no JSON", "POST", "/state", "", 400, misread + "EOF; the controls are " + list},
		{"one object too many", "POST", "/state", `{}{}`, 400, misread + "something follows the JSON object; the controls are " + list},
		{"a wrong method", "POST", "/calls", "", 404, "want one of " + list},
		{"a path below", "GET", "/calls/1", "", 404, "want one of " + list},
		{"no path", "GET", "/", "", 404, "want one of " + list},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(test.method, test.target, strings.NewReader(test.body))
			controls.Serve(w, r, Segments(r.URL.EscapedPath()))
			if w.Code != test.status || w.Body.String() != test.want {
				t.Errorf("%s %s = %d %q; want %d %q", test.method, test.target, w.Code, w.Body, test.status, test.want)
			}
			if got := w.Header().Get("Content-Type"); w.Code == 200 && got != "application/json" {
				t.Errorf("content type = %q; want application/json", got)
			}
		})
	}
}
