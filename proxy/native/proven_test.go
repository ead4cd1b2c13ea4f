package native

import (
	"net/http"
	"testing"

	"portico/proxy/icws/icwssim"
)

// TestWhoseARequestIsIsProven has a request be a session's only where the site has answered for that.
func TestWhoseARequestIsIsProven(t *testing.T) {
	const icon = "/icws/resources/status/available.ico"
	w := newWorld(t, &icwssim.Server{})
	w.site.Catalogues = &proven{bodies: map[string]string{"en-us": keptCatalogue}}
	anna, cleo := w.opens("anna", "en-us"), w.opens("cleo", "en-us")
	base := w.site.ICWS.FirstHost()
	annas := base + "/icws/" + anna.session
	own := "/icws/" + anna.session
	for _, tt := range []struct {
		name, method, path, cookie string
		accept                     string
		want                       string // what is proven, whether the session is known or not; "" for nothing
	}{
		{"a read", "GET", own + "/status/user-statuses/anna", anna.cookie, "", annas},
		{"a poll", "GET", own + "/messaging/messages", anna.cookie, "", annas},
		{"a stream", "GET", own + "/messaging/messages", anna.cookie, "text/event-stream", annas},
		{"the catalogue, from the cache", "GET", own + pathCatalogue, anna.cookie, "", annas},
		{"the connection, which may have been one before", "GET", own + "/connection", anna.cookie, "", ""},
		{"what there is not", "GET", own + "/nothing", anna.cookie, "", ""},
		{"another's cookie", "GET", own + "/status/user-statuses/anna", cleo.cookie, "", ""},
		{"a cookie that is not its own", "GET", own + "/status/user-statuses/anna", "icws_" + anna.session + "=made-up", "", ""},
		{"a preflight", "OPTIONS", own + "/status/user-statuses/anna", "", "", ""},
		{"a preflight with the cookie", "OPTIONS", own + "/status/user-statuses/anna", anna.cookie, "", ""},
		{"a preflight of no session", "OPTIONS", "/icws/r1/connection", "icws_r1=x", "", ""},
		{"an icon", "GET", icon, "", "", ""},
		{"an icon with a cookie", "GET", icon, "icws_resources=x", "", ""},
		{"an icon, spelled otherwise", "GET", "/ICWS/Resources/status/available.ico", "icws_Resources=x", "", ""},
		{"what anybody may know", "GET", "/icws/connection/version", anna.cookie, "", ""},
		{"server-time", "GET", own + "/connection/server-time", anna.cookie, "", ""},
	} {
		for _, known := range []bool{true, false} {
			one := w.sessions.find(base, anna.session)
			if !known {
				w.sessions.drop(base, anna.session, one)
			}
			req := w.request(tt.method, tt.path, "")
			req.Header.Set("Cookie", tt.cookie)
			req.Header.Set("ININ-ICWS-CSRF-Token", anna.token)
			req.Header.Set("Accept", tt.accept)
			passage := w.Passage([]string{anna.host})
			res, err := passage.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if passage.Proven != tt.want {
				t.Errorf("%s, known %v: answered %d, proven is %q; want %q", tt.name, known, res.StatusCode, passage.Proven, tt.want)
			}
			w.sessions.known[sessionID{base, anna.session}] = one
		}
	}
	passage := w.Passage(nil)
	req := w.request(http.MethodPost, "/icws/connection", `{"__type":"urn:inin.com:connection:icAuthConnectionRequestSettings","applicationName":"Own","userID":"anna","password":"anna"}`)
	req.Header.Set("Accept-Language", "en-us")
	res, err := passage.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if passage.Proven != base+"/icws/"+passage.Session || passage.Session == "" {
		t.Errorf("a log-in proves %q; want the session %q, and its host", passage.Proven, passage.Session)
	}
}
