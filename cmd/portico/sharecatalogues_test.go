package main

import (
	"net/http"
	"strings"
	"testing"

	"portico/proxy/icws/icwssim"
)

// purge asks a replica's operators' door to forget all catalogues.
func (s *serving) purge() {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.admin+"/cache/purge?site=pureconnect", nil)
	must(s.t, err)
	answer, err := s.http.Do(request)
	must(s.t, err)
	must(s.t, answer.Body.Close())
	if answer.StatusCode != http.StatusOK {
		s.t.Errorf("purge: %d", answer.StatusCode)
	}
}

// TestReplicasShareCatalogues reads the catalogue at two replicas, before and after a change and a purge.
func TestReplicasShareCatalogues(t *testing.T) {
	for scope, once := range map[string]int{"session": 2, "shared": 1} {
		t.Run(scope, func(t *testing.T) {
			store := newStoreServer(t)
			c := newCentres(t, nil)
			settings := store.settings() + "cache: {scope: " + scope + "}\n"
			a, b := c.serveWith(settings), c.serveWith(settings)
			agents := []string{"anna", "agent0001"}
			fetches := func(when string, want int) {
				t.Helper()
				if n := c.pureconnect.Calls()["GET /icws/{sessionId}/status/status-messages"]; n != want {
					t.Errorf("%s: the catalogue was fetched %d times; want %d", when, n, want)
				}
			}
			read := func(want string) bool {
				all := true
				for _, agent := range agents {
					for _, s := range []*serving{a, b} {
						status, body := s.get(agent, s.door+"/me/status-messages")
						if status != http.StatusOK {
							t.Fatalf("%s: %d %s", agent, status, body)
						}
						all = all && strings.Contains(body, want)
					}
				}
				return all
			}
			read("At Lunch")
			fetches("two agents at two replicas", once)
			must(t, c.pureconnect.ChangeCatalogue(icwssim.CatalogueChange{Add: []icwssim.StatusEdit{icwssim.NewStatus("At Sea")}}))
			eventually(t, "the change is known at both", func() bool { return read("At Sea") })
			fetches("after a change", once)
			a.purge()
			eventually(t, "the purge is known at both", func() bool {
				read("At Sea")
				return c.pureconnect.Calls()["GET /icws/{sessionId}/status/status-messages"] == 2*once
			})
			for _, s := range []*serving{a, b} {
				if code := s.end(); code != 0 {
					t.Errorf("exit code %d", code)
				}
			}
			fetches("after a purge", 2*once)
		})
	}
}
