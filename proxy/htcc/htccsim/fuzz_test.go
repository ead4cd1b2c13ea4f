package htccsim

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"portico/translate/htccapi"
)

// FuzzBodies sends what a stranger may to every route that takes an operation, and to the controls:
// no answer may be a 500 or other than JSON.
func FuzzBodies(f *testing.F) {
	for _, body := range []string{
		``, `null`, `[]`, `{}`, `{"operationName":"Ready"}`, `{"operationName":null}`, `{"operationName":["Ready"]}`,
		`{"operationName":"StartContactCenterSession","channels":["voice","chat",""]}`, `{"operationName":"StartContactCenterSession","channels":[7]}`,
		`{"operationName":"StartContactCenterSession","channels":["voice"],"place":7,"devicePath":"//"}`,
		`{"operationName":"AfterCallWork","wrapUpTime":1e9}`, `{"operationName":"Ready","workmode":{}}`,
		`{"operationName":"ForwardCallsOn","phoneNumber":5550100}`, `{"user":"bjorn","channels":{"chat":"Ready"}}`,
		`{"user":"bjorn","channels":[null]}`, `{"scenario":"hang","times":1}`, "\xef\xbb\xbf{}", strings.Repeat(`{"a":`, 20000),
	} {
		f.Add(body, "voice")
	}
	f.Fuzz(func(t *testing.T, body, channel string) {
		s := &Server{NotifyDelay: 1, LoginDelay: -1}
		defer s.Close()
		setState(t, s, StateChange{User: "bjorn", State: "NotReady"})
		for i := range resources {
			if resources[i].methods[http.MethodPost] == nil || resources[i].isRaw {
				continue
			}
			path := strings.NewReplacer("{channel}", "chat", "{deviceId}", uuid("device", "5101")).Replace(resources[i].template)
			checkAnswer(t, s, http.MethodPost, path, body)
		}
		for _, control := range []string{"/_sim/state", "/_sim/fault"} {
			w := httptest.NewRecorder()
			s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, control, strings.NewReader(body)))
			if w.Code != 200 && w.Code != 400 {
				t.Errorf("POST %s %q = %d %s", control, body, w.Code, w.Body)
			}
		}
		_, _ = s.State(channel)
	})
}

// FuzzRequests sends paths, queries, cookies and credentials of any kind.
func FuzzRequests(f *testing.F) {
	f.Add("api/v2/me", "subresources=*&fields=*", "JSESSIONID=x", "Basic Ympvcm46Ympvcm4=")
	f.Add("api/v2/me/subresources=%2A", "fields=,,&=&%", "JSESSIONID", "Basic")
	f.Add("api/v2/me/channels/%zz", "channel=voice&channels=", `JSESSIONID="";;=`, "Basic Og==")
	f.Add("api//v2/users/", "userName=bjorn&roles=x", "", "Basic YmpvcuQ6/w==")
	f.Fuzz(func(t *testing.T, path, query, cookie, authorization string) {
		s := &Server{DocumentSize: 1}
		defer s.Close()
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL.Path, r.URL.RawQuery = "/"+path, query
		r.Header.Set("Cookie", cookie)
		r.Header.Set("Authorization", authorization)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("GET /%s?%s = %d %s", path, query, w.Code, w.Body)
		}
	})
}

// FuzzOperations posts operations in any order and looks whether devices and channels are always in
// a state that there is.
func FuzzOperations(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Add([]byte{7, 0, 12, 1, 22, 9, 13, 7, 21})
	names := []htccapi.Operation{"Ready", "NotReady", "AfterCallWork", "AuxWork", "Offline", "OutToLunch",
		"DoNotDisturbOn", "DoNotDisturbOff", "StartContactCenterSession", "EndContactCenterSession"}
	paths := []string{"/api/v2/me", "/api/v2/me/channels/voice", "/api/v2/me/channels/chat"}
	known := map[string]bool{htccapi.StateReady: true, htccapi.StateNotReady: true, htccapi.StateLoggedOut: true}
	f.Fuzz(func(t *testing.T, steps []byte) {
		s := &Server{NotifyDelay: 1, LoginDelay: -1}
		defer s.Close()
		for _, step := range steps[:min(len(steps), 100)] {
			name, path := names[int(step)%len(names)], paths[int(step)/len(names)%len(paths)]
			checkAnswer(t, s, http.MethodPost, path, `{"channels":["voice","chat"],"operationName":"`+string(name)+`"}`)
		}
		state, err := s.State("bjorn")
		if err != nil {
			t.Fatal(err)
		}
		for _, shown := range state.Channels {
			if !known[shown.UserState.State] || !state.ContactCenterSession && shown.UserState.State != htccapi.StateLoggedOut {
				t.Errorf("after %v: %+v; want one of %v", steps, shown, slices.Sorted(maps.Keys(known)))
			}
		}
	})
}

// checkAnswer posts as bjorn and looks at the form of the answer.
func checkAnswer(t *testing.T, s *Server, method, path, body string) {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.SetBasicAuth("bjorn", "bjorn")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	var answer struct{ StatusCode *int }
	err := json.Unmarshal(w.Body.Bytes(), &answer)
	if err != nil || answer.StatusCode == nil || w.Code != statusOf(*answer.StatusCode) || w.Code >= 500 {
		t.Errorf("%s %s %q = %d %s", method, path, body, w.Code, w.Body)
	}
}
