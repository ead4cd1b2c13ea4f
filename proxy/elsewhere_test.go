package proxy

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestWhatOthersDoIsTold has another client change the agents' states at their sites while a connect is
// held: what it is answered with is what the next GET /me says.
func TestWhatOthersDoIsTold(t *testing.T) {
	type change struct {
		site, body string
		want       day
	}
	changes := map[string][]change{
		"anna": {
			{site, `{"user":"anna","statusId":"Available","activations":{"Sales":true,"Support":true,"Mail":false}}`, day{"Ready", "NotReady", "Off"}},
			{site, `{"user":"anna","activations":{"Mail":true}}`, day{"Ready", "Ready", "Off"}},
			{site, `{"user":"anna","statusId":"Do Not disturb"}`, day{"Ready", "Ready", "On"}},
			{site, `{"user":"anna","statusId":"At Lunch"}`, day{"NotReady", "NotReady", "Off"}},
			{site, `{"user":"anna","statusId":"Follow Up"}`, day{"NotReadyAfterCallWork", "NotReadyAfterCallWork", "Off"}},
		},
		"bjorn": {
			{cloud, `{"user":"bjorn","channel":"voice","state":"OutToLunch"}`, day{"NotReadyAuxWork", "NotReady", "Off"}},
			{cloud, `{"user":"bjorn","channels":{"chat":"Ready"}}`, day{"NotReadyAuxWork", "Ready", "Off"}},
			{cloud, `{"user":"bjorn","dnd":"On"}`, day{"NotReadyAuxWork", "Ready", "On"}},
			{cloud, `{"user":"bjorn","dnd":"Off"}`, day{"NotReadyAuxWork", "Ready", "Off"}},
			{cloud, `{"user":"bjorn","state":"AfterCallWork"}`, day{"NotReadyAfterCallWork", "NotReadyAfterCallWork", "Off"}},
		},
		"cleo": {
			{site, `{"user":"cleo","statusId":"Available","activations":{"Sales":true,"Support":true}}`, day{"Ready", "NotReady", "Off"}},
			{cloud, `{"user":"cleo","channel":"chat","state":"OutToLunch"}`, day{"Ready", "NotReadyAuxWork", "Off"}},
			{site, `{"user":"cleo","statusId":"At Lunch"}`, day{"NotReady", "NotReadyAuxWork", "Off"}},
			{cloud, `{"user":"cleo","channel":"chat","state":"Ready"}`, day{"NotReady", "Ready", "Off"}},
		},
	}
	played(t, false, func(t *testing.T, p *player) {
		p.headers = []string{"Authorization", basicAuth(p.agent, p.agent)}
		p.starts()
		p.expects("after Start", day{p.begins, "NotReady", "Off"})
		comet := newComet(t, polling{app: p.caller, client: p.client})
		comet.shakes("", "long-polling")
		comet.subscribes("/v2/me/*")
		comet.listens("long-polling")
		p.catchesUp(comet)
		sites := map[string]http.Handler{site: p.sim, cloud: p.cloud}
		for _, change := range changes[p.agent] {
			p.waits(comet)
			p.alters(sites[change.site], change.body)
			p.agrees("after "+change.body, change.want)
		}
		p.leaves()
	})
}

// alters changes an agent's state at a site as another client would.
func (w *world) alters(site http.Handler, change string) {
	w.t.Helper()
	answer := httptest.NewRecorder()
	site.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/_sim/state", strings.NewReader(change)))
	if answer.Code != http.StatusOK {
		w.t.Fatalf("POST /_sim/state %s = %d %s", change, answer.Code, answer.Body)
	}
}
