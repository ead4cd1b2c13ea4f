package main

import (
	"fmt"
	"net/http"
)

// A contest is one job, and who does it.
type contest struct {
	name     string
	job      string // for the reader
	entrants []entrant
	note     string // what else is to be known, "" = nothing
}

// An entrant is one who does a job.
type entrant struct {
	name     string
	requests func(*world) []request // sent in turn
	status   int                    // of each answer
	nearest  string                 // what it does instead, since it cannot do the job itself; "" = the job
}

// pathStatus is an agent's status, in a session at the contact centre.
const pathStatus = "/status/user-statuses/{user}"

// contests are in the order of the targets.
var contests = []contest{
	{name: "plain", job: "catalogue from the cache", entrants: catalogue(http.StatusOK)},
	{name: "gzip", job: "catalogue from the cache, compressed", entrants: catalogue(http.StatusOK, "Accept-Encoding", "gzip")},
	{name: "304", job: "catalogue that the caller has", entrants: catalogue(http.StatusNotModified, "If-None-Match", etag)},
	{name: "write", job: "POST /me: one change of state at the contact centre", note: writeNote, entrants: []entrant{
		{porticoName, operations, http.StatusOK, ""},
		{nginx, statusChanges, http.StatusAccepted, passesWrite},
		{haproxy, statusChanges, http.StatusAccepted, passesWrite},
		{ginProxy, statusChanges, http.StatusAccepted, passesWrite},
		{luraName, statusChanges, http.StatusAccepted, passesWrite},
		{caddy, statusChanges, http.StatusAccepted, passesWrite},
	}},
	{name: "read", job: "GET /me from pushed state", entrants: []entrant{
		{porticoName, readMe, http.StatusOK, ""},
		{nginx, readStatus, http.StatusOK, "passes the contact centre's own read of the status on"},
	}},
}

const (
	passesWrite = "passes the contact centre's own PUT on, with the agent's session there"
	writeNote   = "Portico also hears of each change by the agent's event stream, which the contact centre writes and the others do without"
)

// etag stands for the catalogue's, which is not known before it was asked for.
const etag = "{etag}"

// catalogue are those who answer with the catalogue.
func catalogue(status int, header ...string) []entrant {
	ask := func(agent bool) func(*world) []request {
		return func(w *world) []request {
			r := request{method: "GET", path: pathCatalogue, header: map[string]string{}}
			if agent {
				r.header["Cookie"] = w.agents[0]
			}
			if len(header) > 0 {
				r.header[header[0]] = header[1]
			}
			return []request{r}
		}
	}
	const cached = "has Portico's answer in its cache, without a session, for anybody"
	return []entrant{
		{porticoName, ask(true), status, ""},
		{nginx, ask(false), status, cached},
		{varnish, ask(false), status, cached},
		{ginAlone, ask(false), status, "has Portico's answer in memory, without a session: what a program on gin costs at least"},
	}
}

// operations are changes of state through Portico, each agent in turn.
func operations(w *world) []request {
	var all []request
	for _, operation := range []string{"Ready", "NotReady"} {
		for _, cookie := range w.agents {
			all = append(all, request{method: "POST", path: "/api/v2/me", body: fmt.Sprintf(`{"operationName":%q}`, operation),
				header: map[string]string{"Cookie": cookie, "Origin": "http://" + w.door, "Content-Type": "application/json"}})
		}
	}
	return all
}

// statusChanges are what those lead to, at the contact centre's own API.
func statusChanges(w *world) []request {
	var all []request
	for _, status := range []string{"Available", "Available, No ACD"} {
		for _, session := range w.direct {
			all = append(all, session.request("PUT", pathStatus, fmt.Sprintf(`{"statusId":%q}`, status)))
		}
	}
	return all
}

func readMe(w *world) []request {
	return []request{{method: "GET", path: "/api/v2/me?subresources=devices,channels", header: map[string]string{"Cookie": w.agents[0]}}}
}

func readStatus(w *world) []request {
	return []request{w.direct[0].request("GET", pathStatus, "")}
}

// crowdsName stands for what is no contest, where one is named.
const crowdsName = "crowds"

// names returns what can be measured alone.
func names() []string {
	var all []string
	for _, c := range contests {
		all = append(all, c.name)
	}
	return append(all, crowdsName)
}
