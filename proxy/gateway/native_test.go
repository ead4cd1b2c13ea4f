package gateway

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/icws/icwssim"
	"portico/translate/icwsapi"
)

// A nativeApp is an ICWS application that keeps what the log-in gave it.
type nativeApp struct {
	*world
	session string
	proof   http.Header
}

// opens logs a user in, with their name as password.
func (w *world) opens(user string) *nativeApp {
	w.t.Helper()
	res := w.passes(w.nativeLogin(user, user))
	defer res.Body.Close()
	var opened struct{ SessionID, CSRFToken string }
	err := json.NewDecoder(res.Body).Decode(&opened)
	if err != nil {
		w.t.Fatal(err)
	}
	cookie, _, _ := strings.Cut(res.Header.Get("Set-Cookie"), ";")
	proof := http.Header{"Cookie": {cookie}}
	proof.Set(icwsapi.HeaderCSRFToken, opened.CSRFToken)
	return &nativeApp{w, opened.SessionID, proof}
}

// nativeLogin returns a log-in as the door hands it on.
func (w *world) nativeLogin(user, password string) *http.Request {
	w.t.Helper()
	body := fmt.Sprintf(`{"__type":"urn:inin.com:connection:icAuthConnectionRequestSettings","applicationName":"Own","userID":%q,"password":%q}`, user, password)
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, "/icws/connection", strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Accept-Language", "en-us")
	return req
}

func (w *world) passes(req *http.Request) *http.Response {
	w.t.Helper()
	res, err := w.Native(nil).RoundTrip(req)
	if err != nil {
		w.t.Fatal(err)
	}
	return res
}

const callCatalogue = "GET /icws/{sessionId}/status/status-messages"

// catalogue reads the catalogue and returns status and body.
func (a *nativeApp) catalogue() (int, string) {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), http.MethodGet, "/icws/"+a.session+"/status/status-messages", http.NoBody)
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header = a.proof.Clone()
	res := a.passes(req)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// TestAPollProvesNothingToApplications has a site without event streams, where a change comes to an application's own
// queue before the reader of an agent asks for it.
func TestAPollProvesNothingToApplications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{MessagingVersion: 1}, func(_ *Settings, s *Site) { s.Native, s.ShareCatalogue = true, true })
		app, agent := w.opens("cleo"), w.login("anna")
		time.Sleep(time.Minute) // polls are rare by now
		for range 3 {
			err := w.sim.ChangeCatalogue(icwssim.CatalogueChange{Remove: []string{"At Play"}})
			if err != nil {
				t.Fatal(err)
			}
			if _, body := app.catalogue(); strings.Contains(body, "At Play") {
				t.Errorf("after a change: %s; want the new catalogue", body)
			}
			w.add("At Play")
			if _, body := app.catalogue(); !strings.Contains(body, "At Play") {
				t.Errorf("after another: %s; want the new catalogue", body)
			}
			time.Sleep(7 * time.Second)
		}
		w.has(agent, "which the reader was told of", "At Play")
	})
}

// TestASharedCatalogueIsProven has an agent's subscription prove what an application reads, until the
// agent leaves.
func TestASharedCatalogueIsProven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &icwssim.Server{}, func(_ *Settings, s *Site) { s.Native, s.ShareCatalogue = true, true })
		app := w.opens("cleo")
		calls := func() int { return w.sim.Calls()[callCatalogue] }
		_, own := app.catalogue()
		if calls() != 1 {
			t.Fatal("a catalogue came from nowhere")
		}
		agent := w.login("anna")
		time.Sleep(time.Second) // the subscription tells the catalogue
		fetched := calls()
		for range 3 {
			status, body := app.catalogue()
			if status != 200 || body != own || calls() != fetched {
				t.Errorf("with a proof: %d %s after %d calls; want the site's own, without a call", status, body, calls()-fetched)
			}
		}
		err := w.sim.ChangeCatalogue(icwssim.CatalogueChange{Remove: []string{"At Play"}})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if _, body := app.catalogue(); body == own || strings.Contains(body, "At Play") || calls() != fetched {
			t.Errorf("after a change: %s after %d calls; want the new one, without a call", body, calls()-fetched)
		}
		w.end(agent, endByAgent)
		agent.wait(t.Context())
		if _, body := app.catalogue(); calls() != fetched+1 || strings.Contains(body, "At Play") {
			t.Errorf("without a proof: %s after %d calls; want the site's own", body, calls()-fetched)
		}
	})
}
